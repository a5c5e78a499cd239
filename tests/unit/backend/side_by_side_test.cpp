#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <vector>

#include "core/backend/backend.h"
#include "tests/support/tensors.h"
#include "tests/support/threads.h"

namespace ty::test {
namespace {

TEST(SideBySide, EveryBodyRunsOnce) {
  for (const auto& backend : {make_reference_backend(), make_cpu_backend()}) {
    std::vector<std::atomic<int>> runs(static_cast<std::size_t>(backend->work_shape().workers));
    backend->side_by_side(backend->work_shape().workers,
                          [&](int i) { ++runs[static_cast<std::size_t>(i)]; });
    for (const auto& each : runs) EXPECT_EQ(each, 1);
    backend->side_by_side(0, [&](int) { FAIL(); });
  }
}

TEST(SideBySide, AnErrorOfABodyReachesTheCaller) {
  for (const auto& backend : {make_reference_backend(), make_cpu_backend()}) {
    EXPECT_THROW(backend->side_by_side(backend->work_shape().workers,
                                       [](int i) {
                                         if (i == 0) throw std::runtime_error("body");
                                       }),
                 std::runtime_error);
  }
}

// Of four bodies or fewer, which divide four pieces of work: of few results, and of few with a long
// sum. Each alone would be cut for threads.
std::vector<double> products_of_four_pieces() {
  const auto backend = make_cpu_backend();
  const Tensor a = random_tensor(*backend, {256, 1024}, "a", DType::f32);
  const Tensor b = random_tensor(*backend, {1024, 72}, "b", DType::f32);
  const Tensor c = Tensor::empty(*backend, {8, 256, 72}, DType::f32);
  const int workers = std::min(backend->work_shape().workers, 4);
  backend->side_by_side(workers, [&](int w) {
    for (int i = 4 * w / workers; i < 4 * (w + 1) / workers; ++i) {
      const View left = a.view().slice(1, 16 * i, 256), right = b.view().slice(0, i, 256);
      backend->gemm(c.view()[2 * i], left, right, {});
      backend->gemm(c.view()[2 * i + 1], a.view(), b.view(), {});
    }
  });
  const std::vector<float> values = c.values<float>();
  return {values.begin(), values.end()};
}

TEST(SideBySide, ProductsHaveTheSameBitsWhateverTheNumberOfWorkers) {
  EXPECT_EQ(first_difference(products_of_four_pieces), 0);
}

}  // namespace
}  // namespace ty::test
