// Gradients and their norm over a mesh of data and tensor ranks: a placement says all there is to
// know.
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "parallel/comm/threads/threads.h"
#include "parallel/data/gradient_reducer.h"
#include "parallel/mesh/mesh.h"
#include "tests/support/tensors.h"

namespace ty::test {
namespace {

// What rank (data d, tensor t) adds to the gradient of an element that the whole model calls
// `index`.
double term(int d, int t, std::int64_t index) {
  return 1.0 + d + 10.0 * t + 0.5 * static_cast<double>(index);
}

// A column of a layer [3, 4], cut along dimension 1; a gain [5] whose gradient is partial over
// tensor ranks too, and that rank 0 counts.
void check_mesh(const Group& world, bool shard, Reduction reduction) {
  const Mesh mesh(world, {.pipeline = 1, .data = 2, .tensor = 2});
  const int d = mesh.at().data, t = mesh.at().tensor;
  const auto backend = make_reference_backend();
  ParameterStore store;
  store.declare("column", {3, 2}, Init::constant(0), {.slice = {1, 2 * t, 4}});
  store.declare("gain", {5}, Init::constant(0),
                {.partial = {Axis::data, Axis::tensor}, .counted = t == 0});
  FlatParameters flat(store, plan_flat_layout(store, 1, 4), *backend,
                      {.compute = DType::f64, .weights = DType::f64});
  GradientReducer reducer(flat,
                          {.data = mesh.data(), .tensor = mesh.tensor(), .stage = mesh.stage()},
                          {.shard_optimizer = shard, .reduction = reduction});
  reducer.begin_step(1);
  const auto set = [&](const char* name, const std::vector<double>& values) {
    Leaf& leaf = leaf_of(store.find(name)->value);
    backend->write(leaf.grad.view(), values.data());
    leaf.has_grad = true;
  };
  std::vector<double> column, gain;
  for (std::int64_t i = 0; i < 6; ++i) column.push_back(term(d, 0, i / 2 * 4 + 2 * t + i % 2));
  for (std::int64_t i = 0; i < 5; ++i) gain.push_back(term(d, t, i));
  set("column", column);
  set("gain", gain);
  reducer.micro_batch_done(0);
  reducer.finish();

  double squares = 0;  // of the whole model
  for (std::int64_t i = 0; i < 12; ++i) squares += std::pow(term(0, 0, i) + term(1, 0, i), 2);
  std::vector<double> whole_gain;
  for (std::int64_t i = 0; i < 5; ++i) {
    whole_gain.push_back(term(0, 0, i) + term(0, 1, i) + term(1, 0, i) + term(1, 1, i));
    squares += whole_gain.back() * whole_gain.back();
  }
  EXPECT_NEAR(reducer.gradient_norm(), std::sqrt(squares), 1e-9);
  if (shard) {  // a rank has its own shards alone: of a column half, of the gain a quarter
    std::array<double, 2> owned = {0, 0};
    for (const Piece& piece : reducer.owned_pieces()) {
      owned[piece.parameter] += static_cast<double>(piece.inside.count);
      EXPECT_TRUE(piece.counted);
    }
    EXPECT_EQ(mesh.data().all_reduce(owned[0], ReduceOp::sum), 6);
    EXPECT_EQ(world.all_reduce(owned[1], ReduceOp::sum), 5);
    return;
  }
  EXPECT_EQ(doubles(leaf_of(store.find("gain")->value).grad), whole_gain);
  const auto got = doubles(leaf_of(store.find("column")->value).grad);
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(got[i], column[i] * 2 + (d == 0 ? 1 : -1));
}

TEST(GradientAxes, SumAndCountEachElementOnce) {
  for (const bool shard : {false, true}) {
    for (const Reduction reduction : {Reduction::fast, Reduction::canonical}) {
      run_ranks(4, [&](const Group& world) { check_mesh(world, shard, reduction); });
    }
  }
}

}  // namespace
}  // namespace ty::test
