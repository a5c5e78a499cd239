// The bits of a TTM layer, by every plan, do not depend on the number of threads; nor does the
// plan.
#include <gtest/gtest.h>

#include "core/autograd/backward.h"
#include "models/linear/ttm/ttm_function.h"
#include "models/linear/ttm/ttm_planner.h"
#include "tests/support/tensors.h"
#include "tests/support/threads.h"

namespace ty::test {
namespace {

struct Case {
  std::string name;
  TtmLayer layer;
  std::int64_t rows;
};

std::vector<Case> cases() {
  return {{"two_cores_of_rank_20", {with_rank({8, 8}, {16, 16}, 20), 64, 256}, 300},
          {"back_again", {with_rank({16, 16}, {8, 8}, 20), 256, 64}, 300},
          {"three_cores_of_rank_3", {with_rank({4, 6, 4}, {8, 6, 4}, 3), 96, 190}, 517},
          {"wide", {with_rank({8, 8, 12}, {12, 16, 16}, 24), 768, 3072}, 70}};
}

class TtmThreads : public testing::TestWithParam<std::tuple<DType, Case>> {
 protected:
  std::unique_ptr<Backend> backend_ = make_cpu_backend(Products::fixed);
  DType dtype_ = std::get<0>(GetParam());
  Case case_ = std::get<1>(GetParam());

  Tensor leaf(const Shape& shape, const std::string& name) {
    const Tensor x = make_leaf(random_tensor(*backend_, shape, name, dtype_));
    leaf_of(x).grad = Tensor::empty(*backend_, shape, accumulator_of(dtype_));
    return x;
  }
  // y and all gradients.
  std::vector<double> run(const TtmPlan& plan) {
    std::vector<Tensor> leaves = {leaf({case_.rows, case_.layer.in}, "x")};
    for (int k = 0; k < case_.layer.shape.num_cores(); ++k) {
      const auto sizes = case_.layer.shape.core_shape(k);
      leaves.push_back(
          leaf(Shape(std::span<const std::int64_t>(sizes)), "core" + std::to_string(k)));
    }
    const Tensor y =
        ttm_linear(leaves[0], std::span(leaves).subspan(1), Tensor(), case_.layer, plan);
    std::vector<double> all = doubles(y);
    backward(y, random_tensor(*backend_, y.shape(), "dy", dtype_));
    for (const Tensor& each : leaves) {
      const std::vector<double> gradient = doubles(leaf_of(each).grad);
      all.insert(all.end(), gradient.begin(), gradient.end());
    }
    return all;
  }
};

TEST_P(TtmThreads, GiveTheSameBitsByEveryPlan) {
  const TtmChoice choice = choose_ttm_plan(case_.layer, case_.rows);
  for (std::size_t i = 0; i < choice.backward.size(); ++i) {
    const TtmPlan plan = {choice.forward[i % choice.forward.size()].pass, choice.backward[i].pass};
    EXPECT_EQ(first_difference([&] { return run(plan); }), 0)
        << to_string(plan.forward) << " / " << to_string(plan.backward);
  }
}

TEST_P(TtmThreads, DoNotDecideThePlan) {
  Threads threads;
  threads.set(1);
  const TtmPlan alone = choose_ttm_plan(case_.layer, case_.rows).plan;
  for (const int count : {2, 4, 64}) {
    threads.set(count);
    EXPECT_EQ(choose_ttm_plan(case_.layer, case_.rows).plan, alone) << count << " threads";
  }
}

INSTANTIATE_TEST_SUITE_P(Every, TtmThreads,
                         testing::Combine(testing::Values(DType::f32, DType::bf16),
                                          testing::ValuesIn(cases())),
                         [](const auto& test) {
                           return std::string(name_of(std::get<0>(test.param))) + "_" +
                                  std::get<1>(test.param).name;
                         });

}  // namespace
}  // namespace ty::test
