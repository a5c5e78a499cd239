// Bits do not depend on the number of threads: every differentiable function, forward and backward,
// on sizes that threads share.
#include "tests/support/threads.h"

#include <gtest/gtest.h>

#include "core/autograd/backward.h"
#include "tests/unit/ops/op_cases.h"

namespace ty::test {
namespace {

// Functions on inputs of many elements; op_cases() has the same ones on few.
std::vector<OpCase> large_cases() {
  return {
      {"add_broadcast", {{7, 1, 301}, {129, 1}}, [](Inputs x) { return add(x[0], x[1]); }},
      {"gelu", {{311, 257}}, [](Inputs x) { return activation(UnaryOp::gelu_tanh, x[0]); }},
      {"dropout", {{11, 9001}}, [](Inputs x) { return dropout(x[0], some_mask()); }},
      {"sum", {{513, 129}}, [](Inputs x) { return sum(x[0]); }},
      {"linear", {{700, 96}, {96, 330}, {330}}, [](Inputs x) { return linear(x[0], x[1], x[2]); }},
      {"linear_of_long_sums",
       {{4100, 64}, {64, 64}},
       [](Inputs x) { return linear(x[0], x[1], Tensor()); }},
      {"linear_of_one_row",
       {{1, 2100}, {2100, 900}},
       [](Inputs x) { return linear(x[0], x[1], Tensor()); }},
      {"linear_that_cannot_be_cut",
       {{16, 1024}, {1024, 20}},
       [](Inputs x) { return linear(x[0], x[1], Tensor()); }},
      {"linear_large",
       {{1030, 1100}, {1100, 1024}},
       [](Inputs x) { return linear(x[0], x[1], Tensor()); }},
      {"matmul_batched",
       {{5, 64, 1100}, {5, 1100, 70}},
       [](Inputs x) { return matmul(x[0], x[1]); }},
      {"layer_norm",
       {{3, 200, 193}, {193}, {193}},
       [](Inputs x) { return layer_norm(x[0], x[1], x[2], 1e-5); }},
      {"attention",
       {{3, 130, 3 * 64}},
       [](Inputs x) {
         return self_attention(x[0], 4, {.scale = 0.0, .causal = true, .dropout = some_mask()});
       }},
      {"keep_largest",
       {{700, 130}, {700, 130}},
       [](Inputs x) { return keep_largest(x[0], x[1], 31000); }},
      {"embedding",
       {{50, 130}},
       [](Inputs x) {
         return embedding(x[0], random_ids(x[0].backend(), {4, 700}, 50));
       }},
      {"cross_entropy",
       {{300, 1501}},
       [](Inputs x) { return cross_entropy(x[0], random_ids(x[0].backend(), {300}, 1501)); }},
  };
}

class ThreadBits : public testing::TestWithParam<std::tuple<DType, OpCase>> {};

TEST_P(ThreadBits, AreThoseOfOneThread) {
  const auto& [dtype, op] = GetParam();
  const auto backend = make_cpu_backend(Products::fixed);
  const auto compute = [&, &dtype = dtype, &op = op] {
    std::vector<Tensor> inputs;
    for (std::size_t i = 0; i < op.inputs.size(); ++i) {
      inputs.push_back(make_leaf(random_tensor(*backend, op.inputs[i], op.name, dtype)));
      leaf_of(inputs.back()).grad = Tensor::empty(*backend, op.inputs[i], accumulator_of(dtype));
    }
    const Tensor y = op.fn(inputs);
    std::vector<double> all = doubles(y);
    backward(y, random_tensor(*backend, y.shape(), "dy", y.dtype()));
    for (const Tensor& x : inputs) {
      const std::vector<double> gradient = doubles(leaf_of(x).grad);
      all.insert(all.end(), gradient.begin(), gradient.end());
    }
    return all;
  };
  EXPECT_EQ(first_difference(compute), 0) << "threads give other bits";
}

INSTANTIATE_TEST_SUITE_P(Every, ThreadBits,
                         testing::Combine(testing::Values(DType::f32, DType::bf16),
                                          testing::ValuesIn(large_cases())),
                         [](const auto& test) {
                           return std::string(name_of(std::get<0>(test.param))) + "_" +
                                  std::get<1>(test.param).name;
                         });

}  // namespace
}  // namespace ty::test
