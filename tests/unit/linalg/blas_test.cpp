// One BLAS in the process: a second one would bring threads of its own, or be ten times slower.
#include <cblas.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <string>

#include "core/linalg/svd.h"
#include "tests/support/matrices.h"

namespace ty::test {
namespace {

// Shared libraries of this process whose file names say BLAS or LAPACK.
std::set<std::string> loaded_blas_libraries() {
  std::set<std::string> found;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    const std::string path = line.substr(std::min(line.size(), line.find('/')));
    const std::string name = path.substr(path.rfind('/') + 1);
    if (name.find(".so") == std::string::npos) continue;
    for (const char* library : {"blas", "lapack", "tmglib", "atlas", "blis", "mkl"}) {
      if (name.find(library) != std::string::npos) found.insert(path);
    }
  }
  return found;
}

TEST(Blas, OneLibraryServesProductsAndDecompositions) {
  svd(random_matrix(30, 20));
  multiply(random_matrix(30, 20), random_matrix(20, 30));
  const std::set<std::string> loaded = loaded_blas_libraries();
  EXPECT_LE(loaded.size(), 1) << ::testing::PrintToString(loaded);  // none: linked in statically
  EXPECT_EQ(openblas_get_parallel(), 2) << "OpenBLAS runs threads of its own, not those of OpenMP";
}

}  // namespace
}  // namespace ty::test
