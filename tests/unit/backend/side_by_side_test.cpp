#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

#include "core/backend/backend.h"

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

}  // namespace
}  // namespace ty::test
