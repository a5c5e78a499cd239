// How views become products of the library.
#include "core/backend/cuda/blas/product.h"

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace ty::cuda::blas {
namespace {

std::byte* const kMemory = reinterpret_cast<std::byte*>(std::uintptr_t{1} << 20);

View view(const Shape& shape, DType dtype = DType::f32) {
  return contiguous_view(kMemory, dtype, shape);
}

TEST(Product, ARowMajorResultExchangesTheOperands) {
  const View a = view({3, 5}), b = view({5, 7}), c = view({3, 7});
  const Calls calls = plan_product(c, a, b);
  EXPECT_EQ(calls.product, (Product{.in = DType::f32,
                                    .out = DType::f32,
                                    .m = 7,
                                    .n = 3,
                                    .k = 5,
                                    .batch = 1,
                                    .a = {false, 7, 0},
                                    .b = {false, 5, 0},
                                    .c = {false, 7, 0}}));
}

TEST(Product, AColumnMajorResultDoesNot) {
  const View a = view({3, 5}), b = view({5, 7}), c = view({7, 3}).transpose(0, 1);
  const Product product = plan_product(c, a, b).product;
  EXPECT_EQ(product.m, 3);
  EXPECT_EQ(product.n, 7);
  EXPECT_EQ(product.a, (Matrix{true, 5, 0}));
  EXPECT_EQ(product.b, (Matrix{true, 7, 0}));
  EXPECT_EQ(product.c, (Matrix{false, 3, 0}));
}

TEST(Product, EquallySpacedMatricesAreOneCall) {
  // [B, T, 3, H, D] seen as q and k [B, H, T, D]: entries and heads are not equally spaced.
  const std::int64_t entries = 2, heads = 4, length = 9, width = 8;
  const Shape shape{entries, heads, length, width};
  const Strides strides{length * 3 * heads * width, width, 3 * heads * width, 1};
  const View q{kMemory, DType::bf16, shape, strides};
  const View scores = view({entries, heads, length, length});
  const Calls calls = plan_product(scores, q, q.transpose(2, 3));
  EXPECT_EQ(calls.product.batch, heads);
  EXPECT_EQ(calls.operands.size(), 2u);
  EXPECT_EQ(static_cast<const std::byte*>(calls.operands[1].a) - kMemory, 2 * strides[0]);
  const View whole = view({6, 2, 3, 5}), shared = view({5, 7}), result = view({6, 2, 3, 7});
  EXPECT_EQ(plan_product(result, whole, shared).product.batch, 12);
  EXPECT_EQ(plan_product(result, whole, shared).product.a.distance, 0);
}

TEST(Product, IndicesBeyond32BitsSurvive) {
  const std::int64_t rows = 1 << 20, columns = 1 << 14, k = 1 << 13;
  const View a = view({3, rows, k}), b = view({k, columns}), c = view({3, rows, columns});
  const Product product = plan_product(c, a, b).product;
  EXPECT_EQ(product.c.distance, std::int64_t{1} << 34);
  EXPECT_EQ(product.b.distance, std::int64_t{1} << 33);
}

// A bias is part of an fp32 product with a row-major result: the library adds it along columns, and
// would round 16-bit sums once where a sum of its own rounds twice.
TEST(Product, ABiasJoinsWhereThatRoundsAlike) {
  const auto biased = [](DType dtype, const View& c) {
    return plan_biased(c, view({3, 5}, dtype), view({5, 7}, dtype), view({7}, dtype));
  };
  const auto calls = biased(DType::f32, view({3, 7}));
  ASSERT_TRUE(calls.has_value());
  EXPECT_TRUE(calls->product.has_bias);
  EXPECT_EQ(calls->product.m, 7) << "the bias has one number per row, column-major";
  ASSERT_EQ(calls->operands.size(), 1u);
  EXPECT_EQ(calls->operands.front().bias, kMemory);
  EXPECT_FALSE(biased(DType::f32, view({7, 3}).transpose(0, 1)));
  EXPECT_FALSE(biased(DType::f32, view({1, 3, 7})));
  EXPECT_FALSE(biased(DType::bf16, view({3, 7}, DType::bf16)));
  EXPECT_FALSE(biased(DType::bf16, view({3, 7})));
  EXPECT_FALSE(biased(DType::f64, view({3, 7}, DType::f64)));
}

TEST(Product, WhatIsNoMatrixIsRefused) {
  EXPECT_FALSE(is_matrix({kMemory, DType::f32, {3, 5}, {10, 2}}));
  EXPECT_FALSE(is_matrix({kMemory, DType::f32, {3, 5}, {1, 1}}));
  EXPECT_FALSE(is_matrix({kMemory, DType::f32, {3, 5}, {0, 1}}));
  EXPECT_TRUE(is_matrix({kMemory, DType::f32, {1, 5}, {0, 1}}));
  EXPECT_TRUE(is_matrix({kMemory, DType::f32, {5, 1}, {3, 7}}));
  const View odd{kMemory, DType::f32, {3, 5}, {10, 2}};
  EXPECT_THROW(plan_product(view({3, 7}), odd, view({5, 7})), InternalError);
}

}  // namespace
}  // namespace ty::cuda::blas
