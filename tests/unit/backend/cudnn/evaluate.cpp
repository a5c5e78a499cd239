#include "tests/unit/backend/cudnn/evaluate.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "core/base/error.h"

namespace ty::test {

namespace {

using cudnn::Dims;
using cudnn::Node;
using cudnn::Step;

double apply(cudnnPointwiseMode_t op, double x, double b, double truth) {
  switch (op) {
    case CUDNN_POINTWISE_ADD:
      return x + b;
    case CUDNN_POINTWISE_SUB:
      return x - b;
    case CUDNN_POINTWISE_MUL:
      return x * b;
    case CUDNN_POINTWISE_DIV:
      return x / b;
    case CUDNN_POINTWISE_EXP:
      return std::exp(x);
    case CUDNN_POINTWISE_LOG:
      return std::log(x);
    case CUDNN_POINTWISE_IDENTITY:
      return x;
    case CUDNN_POINTWISE_CMP_LT:
      return x < b ? 1.0 : 0.0;
    case CUDNN_POINTWISE_CMP_GE:
      return x >= b ? 1.0 : 0.0;
    case CUDNN_POINTWISE_LOGICAL_AND:
      return x != 0.0 && b != 0.0 ? 1.0 : 0.0;
    case CUDNN_POINTWISE_BINARY_SELECT:
      return truth != 0.0 ? x : b;
    default:
      throw InternalError("pointwise operation {} is not evaluated", static_cast<int>(op));
  }
}

class Evaluation {
 public:
  Evaluation(const cudnn::Graph& graph, Memory& memory) : memory_(memory) {
    for (const cudnn::Scalar& scalar : graph.scalars()) {
      memory_[scalar.id] = {
          std::visit([](auto value) { return static_cast<double>(value); }, scalar.value)};
    }
  }

  void run(const Step& step) {
    switch (step.kind) {
      case Step::Kind::pointwise:
        return each(*step.y, [&](const Dims& at) {
          if (step.axis >= 0) return static_cast<double>(at[static_cast<std::size_t>(step.axis)]);
          return apply(step.pointwise, read(*step.x, at), step.b ? read(*step.b, at) : 0.0,
                       step.truth ? read(*step.truth, at) : 0.0);
        });
      case Step::Kind::reduce:
        return each(*step.y, [&](const Dims& at) { return reduce(step, at); });
      case Step::Kind::matmul:
        return each(*step.y, [&](const Dims& at) {
          double sum = 0;
          for (std::int64_t k = 0; k < step.x->form.shape[3]; ++k) {
            sum +=
                read(*step.x, {at[0], at[1], at[2], k}) * read(*step.b, {at[0], at[1], k, at[3]});
          }
          return sum;
        });
      case Step::Kind::transpose:
        return each(*step.y, [&](const Dims& at) {
          return read(*step.x, {at[0], at[1], at[3], at[2]});
        });
      case Step::Kind::bernoulli:
        throw InternalError("what cuDNN draws is not evaluated");
    }
  }

 private:
  static std::size_t offset(const Node& node, const Dims& at) {
    std::int64_t offset = 0;  // an axis of size 1 is repeated
    for (std::size_t d = 0; d < 4; ++d) {
      if (node.form.shape[d] > 1) offset += at[d] * node.form.strides[d];
    }
    return static_cast<std::size_t>(offset);
  }
  double read(const Node& node, const Dims& at) const {
    return memory_.at(node.id).at(offset(node, at));
  }
  double reduce(const Step& step, const Dims& at) const {
    const bool is_max = step.reduce == CUDNN_REDUCE_TENSOR_MAX;
    double value = is_max ? -std::numeric_limits<double>::infinity() : 0.0;
    for (std::int64_t k = 0; k < step.x->form.shape[3]; ++k) {
      const double x = read(*step.x, {at[0], at[1], at[2], k});
      value = is_max ? std::max(value, x) : value + x;
    }
    return value;
  }
  void each(const Node& y, const std::function<double(const Dims&)>& value) {
    const Dims& shape = y.form.shape;
    std::vector<double>& to = memory_[y.id];
    const Dims last = {shape[0] - 1, shape[1] - 1, shape[2] - 1, shape[3] - 1};
    to.resize(std::max(to.size(), offset(y, last) + 1));
    Dims at = {};
    for (at[0] = 0; at[0] < shape[0]; ++at[0]) {
      for (at[1] = 0; at[1] < shape[1]; ++at[1]) {
        for (at[2] = 0; at[2] < shape[2]; ++at[2]) {
          for (at[3] = 0; at[3] < shape[3]; ++at[3]) to[offset(y, at)] = value(at);
        }
      }
    }
  }

  Memory& memory_;
};

}  // namespace

void evaluate(const cudnn::Graph& graph, Memory& memory) {
  Evaluation evaluation(graph, memory);
  for (const Step& step : graph.steps()) evaluation.run(step);
}

}  // namespace ty::test
