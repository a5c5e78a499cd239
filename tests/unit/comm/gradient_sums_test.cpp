// Sums over ranks that a step takes: of squares, and of numbers.
#include <gtest/gtest.h>

#include <cmath>

#include "parallel/comm/threads/threads.h"
#include "parallel/data/gradient_reducer.h"
#include "tests/support/counting_backend.h"

namespace ty::test {
namespace {

// Two neighbours, a gap behind the second, and one more: fast takes neighbours in one sum.
// canonical's order of additions is fixed by the parameters' shapes.
TEST(GradientNorm, TakesNeighboursInOneSumUnlessTheOrderIsCanonical) {
  for (const Reduction reduction : {Reduction::fast, Reduction::canonical}) {
    CountingBackend backend;
    ParameterStore store;
    store.declare("a", {32}, Init::constant(0));
    store.declare("b", {21}, Init::constant(0));
    store.declare("elsewhere", {16}, Init::constant(0), {.counted = false});
    store.declare("c", {16}, Init::constant(0));
    store.declare("d", {16}, Init::constant(0));
    FlatParameters flat(store, plan_flat_layout(store, 1 << 20, 1), backend, {});
    GradientReducer reducer(flat, {}, {.reduction = reduction});
    backend.fill(flat.gradients().view(), 2.0);
    EXPECT_NEAR(reducer.gradient_norm(), std::sqrt(4.0 * (32 + 21 + 16 + 16)), 1e-12);
    EXPECT_EQ(backend.sums, reduction == Reduction::fast ? 2 : 4);
    EXPECT_EQ(reducer.first_non_finite(), "");
    backend.fill(leaf_of(store.find("c")->value).grad.view(), NAN);
    EXPECT_TRUE(std::isnan(reducer.gradient_norm()));
    EXPECT_EQ(reducer.first_non_finite(), " (first in c)");
  }
}

// Rank 1 comes to the sum only after it has heard from rank 0, which has begun it by then.
TEST(PendingSum, IsUnderWayWhileItsRankDoesOtherThings) {
  run_ranks(
      2,
      [](const Group& world) {
        CountingBackend backend;
        ParameterStore store;
        store.declare("a", {1}, Init::constant(0));
        FlatParameters flat(store, plan_flat_layout(store, 1, 2), backend, {});
        GradientReducer reducer(flat, {.data = world}, {});
        double word = 0;
        const View view = contiguous_view(&word, DType::f64, {1});
        if (world.rank() == 1) world.receive(view, 0).wait();
        PendingSum sum = reducer.start_sum(world.rank() + 1.0);
        if (world.rank() == 0) world.send(view, 1).wait();
        EXPECT_EQ(sum.wait(), 3.0);
        EXPECT_EQ(sum.wait(), 3.0);
      },
      10.0);
}

}  // namespace
}  // namespace ty::test
