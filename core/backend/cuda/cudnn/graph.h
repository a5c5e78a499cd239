// Graph: operations on tensors of four dimensions, described for cuDNN's compiler.
//
// A tensor lies in device memory (`tensor`), is a number that the host hands over at each call
// (`scalar`), or exists only inside of the compiled kernel: what operations return. Operations are
// added in the order in which they are computed. References stay valid for the graph's life.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <variant>
#include <vector>

#include "core/backend/cuda/cudnn/attention_operands.h"
#include "core/backend/cuda/cudnn/descriptor.h"

namespace ty::cudnn {

using Dims = std::array<std::int64_t, 4>;

// Row-major strides.
Dims packed(const Dims& shape);

struct Form {
  Dims shape;
  Dims strides;  // in elements
  cudnnDataType_t type;
};

struct Node {
  TensorId id;
  Form form;
  Descriptor descriptor;
};

struct Scalar {
  TensorId id;
  std::variant<float, std::int32_t> value;
};

// The rows and columns that count in each batch entry of a product: int32 [B, 1, 1, 1] each.
struct Extents {
  const Node* rows = nullptr;
  const Node* columns = nullptr;
  const Node* inner = nullptr;
};

// An operation as it was added: y = op(x, b, truth). What the graph means, for whoever wants to
// compute it by other means (tests do).
struct Step {
  enum class Kind { pointwise, reduce, matmul, transpose, bernoulli };
  Kind kind;
  const Node* y;
  const Node* x = nullptr;
  const Node* b = nullptr;
  const Node* truth = nullptr;
  cudnnPointwiseMode_t pointwise = CUDNN_POINTWISE_IDENTITY;
  cudnnReduceTensorOp_t reduce = CUDNN_REDUCE_TENSOR_ADD;
  std::int64_t axis = -1;  // of an index
};

class Graph {
 public:
  const Node& tensor(TensorId id, const Form& form);
  const Node& scalar(float value);
  const Node& scalar(std::int32_t value);

  // y = op(x), op(x, b), of x's shape, handed on as `type`.
  const Node& pointwise(cudnnPointwiseMode_t op, const Node& x, const Node* b = nullptr,
                        cudnnDataType_t type = CUDNN_DATA_FLOAT);
  // The same, into memory.
  void pointwise_into(const Node& y, cudnnPointwiseMode_t op, const Node& x,
                      const Node* b = nullptr);
  // The index of each element along an axis, int32.
  const Node& index(const Node& x, std::int64_t axis);
  // Integers: a op b, int32.
  const Node& integer(cudnnPointwiseMode_t op, const Node& a, const Node& b);
  // Truth: a op b, boolean.
  const Node& compare(cudnnPointwiseMode_t op, const Node& a, const Node& b);
  // truth ? x : otherwise.
  const Node& select(const Node& x, const Node& otherwise, const Node& truth);
  // Over the last axis: [.., n] -> [.., 1], fp32.
  const Node& reduce(cudnnReduceTensorOp_t op, const Node& x);
  void reduce_into(const Node& y, cudnnReduceTensorOp_t op, const Node& x);
  // c = a b: a [B, H, M, K], b [B, H, K, N]; c [B, H, M, N] in fp32.
  const Node& matmul(const Node& a, const Node& b, const Extents& extents = {});
  void matmul_into(const Node& c, const Node& a, const Node& b, const Extents& extents = {});
  // The last two axes exchanged, as `type`.
  const Node& transpose(const Node& x, cudnnDataType_t type);
  // 1 with probability `keep` and else 0, fp32; seed and offset int64 [1, 1, 1, 1] in memory.
  const Node& bernoulli(const Dims& shape, double keep, const Node& seed, const Node& offset);

  std::vector<cudnnBackendDescriptor_t> operations() const;
  // What a run has to bring: memory for these, and these numbers.
  const std::vector<TensorId>& tensors() const { return tensors_; }
  const std::vector<Scalar>& scalars() const { return scalars_; }
  const std::vector<Step>& steps() const { return steps_; }

 private:
  enum class Kind { memory, by_value, inside };
  const Node& add(TensorId id, const Form& form, Kind kind);
  const Node& inside(const Dims& shape, cudnnDataType_t type);
  void add_pointwise(const Step& step, cudnnDataType_t compute);

  std::deque<Node> nodes_;
  std::deque<Descriptor> parts_;  // what operations refer to
  std::deque<Descriptor> operations_;
  std::vector<TensorId> tensors_;
  std::vector<Scalar> scalars_;
  std::vector<Step> steps_;
  TensorId next_ = 1000;  // above those of memory
};

}  // namespace ty::cudnn
