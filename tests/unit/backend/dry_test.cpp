#include <gtest/gtest.h>

#include "core/backend/dry/dry_backend.h"

namespace ty::test {
namespace {

// A view on addresses that nobody may touch.
View phantom(DryBackend& backend, const Shape& shape, DType dtype = DType::f32) {
  View view = contiguous_view(nullptr, dtype, shape);
  view.data = backend.memory().allocate(view.bytes(), MemoryClass::workspace);
  return view;
}

TEST(DryBackend, CountsMatrixFlopsOfProducts) {
  DryBackend dry;
  const View c = phantom(dry, {2, 3, 5}), a = phantom(dry, {2, 3, 7}), b = phantom(dry, {7, 5});
  dry.gemm(c, a, b, {});
  EXPECT_EQ(dry.counts().matrix_flops, 2 * 2 * 3 * 5 * 7);
  EXPECT_EQ(dry.counts().kernels, 1);
  EXPECT_EQ(dry.counts().bytes, 4 * (30 + 42 + 35));
  dry.reset_counts();
  EXPECT_EQ(dry.counts().matrix_flops, 0);
  const View digits = phantom(dry, {5, 2, 3});  // a 5 x 6 or 10 x 3 matrix
  dry.contract({digits, 2}, {phantom(dry, {10, 7}), 1}, {phantom(dry, {7, 3}), 1}, 0.0);
  EXPECT_EQ(dry.counts().matrix_flops, 2 * 10 * 3 * 7);
}

TEST(DryBackend, CountsHalfOfCausalSquareAttentionAndFiveProductsBackward) {
  DryBackend dry;
  const View q = phantom(dry, {2, 3, 8, 4}), lse = phantom(dry, {2, 3, 8});
  const double square = 2.0 * 2 * 3 * 8 * 8 * 4;
  AttentionOptions options;
  dry.attention(q, lse, q, q, q, options);
  EXPECT_EQ(dry.counts().matrix_flops, 2 * square);
  dry.reset_counts();
  options.causal = true;
  dry.attention(q, lse, q, q, q, options);
  EXPECT_EQ(dry.counts().matrix_flops, square);
  dry.reset_counts();
  dry.attention_grad(q, q, q, q, q, lse, q, q, q, options);
  EXPECT_EQ(dry.counts().matrix_flops, 2.5 * square);
  dry.reset_counts();
  const View longer = phantom(dry, {2, 3, 16, 4});
  dry.attention(q, lse, q, longer, longer, options);
  EXPECT_EQ(dry.counts().matrix_flops, 4 * square);
}

TEST(DryBackend, StandsForTheDeviceItIsGiven) {
  const View x = contiguous_view(reinterpret_cast<void*>(64), DType::bf16, {100, 1000});
  const auto workspace = [&](int workers) {
    DryBackend dry({.work = {.workers = workers}, .costs = {.call_seconds = 7}});
    EXPECT_EQ(dry.work_shape().workers, workers);
    EXPECT_EQ(dry.cost_model(DType::f32).call_seconds, 7);
    dry.layer_norm(x, x, x, x, x, x, 0);
    return dry.memory().stats().total_peak;
  };
  EXPECT_EQ(workspace(5) - workspace(1), 4 * 1000 * 4);  // a row in fp32 for each worker
}

TEST(DryBackend, ReadsZerosAndTouchesNoMemory) {
  DryBackend dry;
  const View x = phantom(dry, {3});
  const float host[3] = {1, 2, 3};
  dry.write(x, host);
  dry.unary(UnaryOp::relu, x, x);
  dry.adamw(x, x, x, View{}, x, {});
  float back[3] = {7, 7, 7};
  dry.read(back, x);
  EXPECT_EQ(back[0] + back[1] + back[2], 0);
  EXPECT_EQ(dry.memory().stats().of(MemoryClass::workspace), 12);
}

}  // namespace
}  // namespace ty::test
