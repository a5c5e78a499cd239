#include "core/backend/cuda/cudnn/graph.h"

#include <utility>

namespace ty::cudnn {

Dims packed(const Dims& shape) {
  return {shape[1] * shape[2] * shape[3], shape[2] * shape[3], shape[3], 1};
}

const Node& Graph::add(TensorId id, const Form& form, Kind kind) {
  constexpr std::int64_t kAlignment = 16;  // bytes
  const bool is_inside = kind == Kind::inside, is_by_value = kind == Kind::by_value;
  Node& node = nodes_.emplace_back(Node{id, form, Descriptor(CUDNN_BACKEND_TENSOR_DESCRIPTOR)});
  node.descriptor.set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, form.type)
      .set(CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64,
           std::span<const std::int64_t>(form.shape))
      .set(CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, std::span<const std::int64_t>(form.strides))
      .set(CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, id)
      .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, kAlignment)
      .set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, is_inside)
      .set(CUDNN_ATTR_TENSOR_IS_BY_VALUE, CUDNN_TYPE_BOOLEAN, is_by_value)
      .finalize();
  return node;
}

const Node& Graph::inside(const Dims& shape, cudnnDataType_t type) {
  return add(next_++, {shape, packed(shape), type}, Kind::inside);
}

const Node& Graph::tensor(TensorId id, const Form& form) {
  tensors_.push_back(id);
  return add(id, form, Kind::memory);
}

const Node& Graph::scalar(float value) {
  scalars_.push_back({next_, value});
  return add(next_++, {{1, 1, 1, 1}, {1, 1, 1, 1}, CUDNN_DATA_FLOAT}, Kind::by_value);
}

const Node& Graph::scalar(std::int32_t value) {
  scalars_.push_back({next_, value});
  return add(next_++, {{1, 1, 1, 1}, {1, 1, 1, 1}, CUDNN_DATA_INT32}, Kind::by_value);
}

void Graph::add_pointwise(const Step& step, cudnnDataType_t compute) {
  steps_.push_back(step);
  Descriptor& part = parts_.emplace_back(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
  part.set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, step.pointwise)
      .set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, compute);
  if (step.axis >= 0) part.set(CUDNN_ATTR_POINTWISE_AXIS, CUDNN_TYPE_INT64, step.axis);
  part.finalize();
  Descriptor& operation = operations_.emplace_back(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  operation.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, part)
      .set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, step.x->descriptor)
      .set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, step.y->descriptor);
  const auto add_operand = [&](cudnnBackendAttributeName_t name, const Node* node) {
    if (node != nullptr) operation.set(name, node->descriptor);
  };
  add_operand(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, step.b);
  add_operand(CUDNN_ATTR_OPERATION_POINTWISE_TDESC, step.truth);
  operation.finalize();
}

const Node& Graph::pointwise(cudnnPointwiseMode_t op, const Node& x, const Node* b,
                             cudnnDataType_t type) {
  const Node& y = inside(x.form.shape, type);
  pointwise_into(y, op, x, b);
  return y;
}

void Graph::pointwise_into(const Node& y, cudnnPointwiseMode_t op, const Node& x, const Node* b) {
  add_pointwise({.kind = Step::Kind::pointwise, .y = &y, .x = &x, .b = b, .pointwise = op},
                CUDNN_DATA_FLOAT);
}

const Node& Graph::index(const Node& x, std::int64_t axis) {
  const Node& y = inside(x.form.shape, CUDNN_DATA_INT32);
  add_pointwise({.kind = Step::Kind::pointwise,
                 .y = &y,
                 .x = &x,
                 .pointwise = CUDNN_POINTWISE_GEN_INDEX,
                 .axis = axis},
                CUDNN_DATA_INT32);
  return y;
}

const Node& Graph::integer(cudnnPointwiseMode_t op, const Node& a, const Node& b) {
  const Node& y = inside(a.form.shape, CUDNN_DATA_INT32);
  add_pointwise({.kind = Step::Kind::pointwise, .y = &y, .x = &a, .b = &b, .pointwise = op},
                CUDNN_DATA_INT32);
  return y;
}

const Node& Graph::compare(cudnnPointwiseMode_t op, const Node& a, const Node& b) {
  const Node& y = inside(a.form.shape, CUDNN_DATA_BOOLEAN);
  add_pointwise({.kind = Step::Kind::pointwise, .y = &y, .x = &a, .b = &b, .pointwise = op},
                CUDNN_DATA_BOOLEAN);
  return y;
}

const Node& Graph::select(const Node& x, const Node& otherwise, const Node& truth) {
  const Node& y = inside(x.form.shape, CUDNN_DATA_FLOAT);
  add_pointwise({.kind = Step::Kind::pointwise,
                 .y = &y,
                 .x = &x,
                 .b = &otherwise,
                 .truth = &truth,
                 .pointwise = CUDNN_POINTWISE_BINARY_SELECT},
                CUDNN_DATA_FLOAT);
  return y;
}

const Node& Graph::reduce(cudnnReduceTensorOp_t op, const Node& x) {
  const Dims& from = x.form.shape;
  const Node& y = inside({from[0], from[1], from[2], 1}, CUDNN_DATA_FLOAT);
  reduce_into(y, op, x);
  return y;
}

void Graph::reduce_into(const Node& y, cudnnReduceTensorOp_t op, const Node& x) {
  steps_.push_back({.kind = Step::Kind::reduce, .y = &y, .x = &x, .reduce = op});
  Descriptor& part = parts_.emplace_back(CUDNN_BACKEND_REDUCTION_DESCRIPTOR);
  part.set(CUDNN_ATTR_REDUCTION_OPERATOR, CUDNN_TYPE_REDUCTION_OPERATOR_TYPE, op)
      .set(CUDNN_ATTR_REDUCTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT)
      .finalize();
  operations_.emplace_back(CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR)
      .set(CUDNN_ATTR_OPERATION_REDUCTION_DESC, part)
      .set(CUDNN_ATTR_OPERATION_REDUCTION_XDESC, x.descriptor)
      .set(CUDNN_ATTR_OPERATION_REDUCTION_YDESC, y.descriptor)
      .finalize();
}

const Node& Graph::matmul(const Node& a, const Node& b, const Extents& extents) {
  const Dims& from = a.form.shape;
  const Node& c = inside({from[0], from[1], from[2], b.form.shape[3]}, CUDNN_DATA_FLOAT);
  matmul_into(c, a, b, extents);
  return c;
}

void Graph::matmul_into(const Node& c, const Node& a, const Node& b, const Extents& extents) {
  steps_.push_back({.kind = Step::Kind::matmul, .y = &c, .x = &a, .b = &b});
  Descriptor& part = parts_.emplace_back(CUDNN_BACKEND_MATMUL_DESCRIPTOR);
  part.set(CUDNN_ATTR_MATMUL_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT).finalize();
  Descriptor& operation = operations_.emplace_back(CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR);
  operation.set(CUDNN_ATTR_OPERATION_MATMUL_DESC, part)
      .set(CUDNN_ATTR_OPERATION_MATMUL_ADESC, a.descriptor)
      .set(CUDNN_ATTR_OPERATION_MATMUL_BDESC, b.descriptor)
      .set(CUDNN_ATTR_OPERATION_MATMUL_CDESC, c.descriptor);
  const auto limit = [&](cudnnBackendAttributeName_t name, const Node* extent) {
    if (extent != nullptr) operation.set(name, extent->descriptor);
  };
  limit(CUDNN_ATTR_OPERATION_MATMUL_GEMM_M_OVERRIDE_DESC, extents.rows);
  limit(CUDNN_ATTR_OPERATION_MATMUL_GEMM_N_OVERRIDE_DESC, extents.columns);
  limit(CUDNN_ATTR_OPERATION_MATMUL_GEMM_K_OVERRIDE_DESC, extents.inner);
  operation.finalize();
}

const Node& Graph::transpose(const Node& x, cudnnDataType_t type) {
  Form form = x.form;
  std::swap(form.shape[2], form.shape[3]);
  std::swap(form.strides[2], form.strides[3]);
  form.type = type;
  const Node& y = add(next_++, form, Kind::inside);
  steps_.push_back({.kind = Step::Kind::transpose, .y = &y, .x = &x});
  operations_.emplace_back(CUDNN_BACKEND_OPERATION_RESHAPE_DESCRIPTOR)
      .set(CUDNN_ATTR_OPERATION_RESHAPE_XDESC, x.descriptor)
      .set(CUDNN_ATTR_OPERATION_RESHAPE_YDESC, y.descriptor)
      .finalize();
  return y;
}

const Node& Graph::bernoulli(const Dims& shape, double keep, const Node& seed, const Node& offset) {
  Descriptor& part = parts_.emplace_back(CUDNN_BACKEND_RNG_DESCRIPTOR);
  part.set(CUDNN_ATTR_RNG_DISTRIBUTION, CUDNN_TYPE_RNG_DISTRIBUTION,
           CUDNN_RNG_DISTRIBUTION_BERNOULLI)
      .set(CUDNN_ATTR_RNG_BERNOULLI_DIST_PROBABILITY, CUDNN_TYPE_DOUBLE, keep)
      .finalize();
  const Node& y = inside(shape, CUDNN_DATA_FLOAT);
  steps_.push_back({.kind = Step::Kind::bernoulli, .y = &y});
  operations_.emplace_back(CUDNN_BACKEND_OPERATION_RNG_DESCRIPTOR)
      .set(CUDNN_ATTR_OPERATION_RNG_DESC, part)
      .set(CUDNN_ATTR_OPERATION_RNG_YDESC, y.descriptor)
      .set(CUDNN_ATTR_OPERATION_RNG_SEED, seed.descriptor)
      .set(CUDNN_ATTR_OPERATION_RNG_OFFSET_DESC, offset.descriptor)
      .finalize();
  return y;
}

std::vector<cudnnBackendDescriptor_t> Graph::operations() const {
  std::vector<cudnnBackendDescriptor_t> handles;
  for (const Descriptor& operation : operations_) handles.push_back(operation.get());
  return handles;
}

}  // namespace ty::cudnn
