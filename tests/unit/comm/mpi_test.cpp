#include <gtest/gtest.h>

#include "parallel/comm/mpi/mpi_world.h"
#include "tests/support/mpi_environment.h"
#include "tests/unit/comm/collectives.h"

namespace ty::test {
namespace {

TEST(Mpi, DoesEverything) { check_everything(mpi_world()); }

TEST(Mpi, RepeatsItsBits) {
  std::vector<double> first;
  for (int i = 0; i < 5; ++i) {
    std::vector<double> x(1000);
    for (std::size_t k = 0; k < x.size(); ++k)
      x[k] = std::sin(static_cast<double>(k) * (mpi_world().rank() + 1));
    mpi_world().all_reduce(flat(x), ReduceOp::sum).wait();
    if (i == 0) first = x;
    EXPECT_EQ(x, first);
  }
}

}  // namespace
}  // namespace ty::test
