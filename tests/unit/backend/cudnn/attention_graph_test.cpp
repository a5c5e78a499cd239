// What the graphs compute, step by step on the host, against the reference backend.
#include "core/backend/cuda/cudnn/attention_graph.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/backend/reference/reference_backend.h"
#include "tests/unit/backend/cudnn/evaluate.h"
#include "tests/unit/backend/cudnn/problems.h"

namespace ty::test {
namespace {

using cudnn::AttentionProblem;
using cudnn::Drops;
using cudnn::Gradients;
using cudnn::HeadStrides;

struct Case {
  const char* name;
  bool causal, lengths, drops;
  AttentionShape shape;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

const AttentionShape kSelf = {2, 3, 7, 7, 8}, kCross = {2, 3, 5, 9, 8};
const Case kCases[] = {
    {"Full", false, false, false, kSelf},        {"Causal", true, false, false, kSelf},
    {"Padded", false, true, false, kSelf},       {"CausalPadded", true, true, false, kSelf},
    {"Dropping", true, false, true, kSelf},      {"PaddedDropping", false, true, true, kSelf},
    {"Cross", false, false, false, kCross},      {"CrossPadded", false, true, false, kCross},
    {"CrossCausal", true, false, false, kCross},
};

std::vector<double> numbers(std::int64_t n, double phase) {
  std::vector<double> x(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = std::sin(phase + 0.7 * static_cast<double>(i * i % 101));
  }
  return x;
}

// Operands of one problem in the layout that it states, and the reference's results in the same.
class Attention {
 public:
  explicit Attention(const Case& c) : problem_(problem_of(c.shape)) {
    problem_.causal = c.causal;
    problem_.lengths = c.lengths;
    problem_.drops = c.drops ? Drops::mask : Drops::nothing;
    options_ = {.scale = problem_.scale, .causal = c.causal};
    if (c.lengths) options_.lengths = contiguous_view(lengths_, DType::i32, {problem_.batch});
    if (c.drops) {
      options_.dropout = {.p = 0.25, .stream = RandomStream{5, 6, 7}};
      problem_.keep = 0.75f;
    }
    int phase = 1;
    for (const auto& [id, strides, rows] : operands()) {
      memory_[id] = numbers(problem_.batch * strides.batch, phase++);
    }
    const std::int64_t rows = problem_.batch * problem_.heads * problem_.queries;
    memory_[cudnn::kLse] = numbers(rows, 0);
    memory_[cudnn::kKeyLengths] = {static_cast<double>(lengths_[0]),
                                   static_cast<double>(lengths_[1])};
    memory_[cudnn::kQueryLengths] = std::vector<double>(2, static_cast<double>(problem_.queries));
    draw_mask();
  }

  void check_forward() {
    Memory expected = memory_;
    reference_.attention(view(expected, cudnn::kY), lse(expected), view(expected, cudnn::kQ),
                         view(expected, cudnn::kK), view(expected, cudnn::kV), options_);
    Memory actual = memory_;
    problem_.gradients = Gradients::none;
    evaluate(cudnn::attention_graph(problem_), actual);
    expect_equal(actual, expected, {cudnn::kY, cudnn::kLse});
  }

  void check_backward(Gradients gradients) {
    reference_.attention(view(memory_, cudnn::kY), lse(memory_), view(memory_, cudnn::kQ),
                         view(memory_, cudnn::kK), view(memory_, cudnn::kV), options_);
    Memory expected = memory_;
    reference_.attention_grad(view(expected, cudnn::kDq), view(expected, cudnn::kDk),
                              view(expected, cudnn::kDv), view(expected, cudnn::kDy),
                              view(expected, cudnn::kY), lse(expected), view(expected, cudnn::kQ),
                              view(expected, cudnn::kK), view(expected, cudnn::kV), options_);
    Memory actual = memory_;
    problem_.gradients = gradients;
    evaluate(cudnn::attention_grad_graph(problem_), actual);
    expect_equal(actual, expected, {cudnn::kDq, cudnn::kDk, cudnn::kDv});
  }

 private:
  struct Operand {
    cudnn::TensorId id;
    HeadStrides strides;
    std::int64_t rows;
  };
  std::vector<Operand> operands() const {
    const AttentionProblem& p = problem_;
    return {{cudnn::kQ, p.q, p.queries}, {cudnn::kK, p.k, p.keys},      {cudnn::kV, p.v, p.keys},
            {cudnn::kY, p.y, p.queries}, {cudnn::kDq, p.dq, p.queries}, {cudnn::kDk, p.dk, p.keys},
            {cudnn::kDv, p.dv, p.keys},  {cudnn::kDy, p.dy, p.queries}};
  }
  View view(Memory& memory, cudnn::TensorId id) const {
    for (const Operand& operand : operands()) {
      if (operand.id != id) continue;
      const HeadStrides& s = operand.strides;
      View x;
      x.data = memory.at(id).data();
      x.dtype = DType::f64;
      x.shape = {problem_.batch, problem_.heads, operand.rows, problem_.width};
      x.strides = {s.batch, s.head, s.row, 1};
      return x;
    }
    return {};
  }
  View lse(Memory& memory) const {
    return contiguous_view(memory.at(cudnn::kLse).data(), DType::f64,
                           {problem_.batch, problem_.heads, problem_.queries});
  }
  // What the reference keeps.
  void draw_mask() {
    const std::int64_t each = problem_.heads * problem_.queries * problem_.keys;
    std::vector<double> ones(static_cast<std::size_t>(problem_.batch * each), 1.0);
    const View x = contiguous_view(ones.data(), DType::f64, {problem_.batch, each});
    if (options_.dropout.p > 0.0) reference_.dropout(x, x, options_.dropout);
    for (double& one : ones) one = one == 0.0 ? 0.0 : 1.0;
    memory_[cudnn::kMask] = ones;
  }
  static void expect_equal(const Memory& actual, const Memory& expected,
                           std::initializer_list<cudnn::TensorId> ids) {
    for (const cudnn::TensorId id : ids) {
      const std::vector<double>&a = actual.at(id), &e = expected.at(id);
      ASSERT_EQ(a.size(), e.size());
      for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], e[i], 1e-7) << id << " " << i;
    }
  }

  AttentionProblem problem_;
  AttentionOptions options_;
  std::int32_t lengths_[2] = {3, 6};
  Memory memory_;
  ReferenceBackend reference_;
};

class AttentionGraph : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(Every, AttentionGraph, testing::ValuesIn(kCases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST_P(AttentionGraph, IsAttention) { Attention(GetParam()).check_forward(); }
TEST_P(AttentionGraph, HasItsGradients) { Attention(GetParam()).check_backward(Gradients::fast); }
TEST_P(AttentionGraph, HasItsGradientsByTheRepeatableWay) {
  Attention(GetParam()).check_backward(Gradients::repeatable);
}

}  // namespace
}  // namespace ty::test
