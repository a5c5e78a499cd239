#include "core/autograd/graph.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"

namespace ty {

namespace {

thread_local bool t_grad_enabled = true;
thread_local std::uint64_t t_sequence = 0;
thread_local std::vector<Tensor>* t_leaf_uses = nullptr;

// Gradients of shared results add up over many graphs, so they do in a type wide enough.
Edge edge_of(const Tensor& x) {
  const bool widen = x.requires_grad() && x.edge()->shared;
  return {x.edge(), x.output(), x.shape(), widen ? accumulator_of(x.dtype()) : x.dtype()};
}

void note_leaf_uses(const std::vector<Tensor>& inputs) {
  if (t_leaf_uses == nullptr) return;
  for (const Tensor& input : inputs) {
    if (!input.requires_grad()) continue;
    if (input.edge()->is_leaf() || input.edge()->shared) t_leaf_uses->push_back(input);
  }
}

// The node of a recorded function; null if there is nothing to record.
std::shared_ptr<Node> node_of(const char* name, const std::vector<Tensor>& inputs,
                              std::size_t outputs, BackwardOfMany backward) {
  if (!t_grad_enabled) {
    note_leaf_uses(inputs);
    return nullptr;
  }
  const bool any = std::any_of(inputs.begin(), inputs.end(),
                               [](const Tensor& input) { return input.requires_grad(); });
  if (!any) return nullptr;
  auto node = std::make_shared<Node>();
  node->name = name;
  node->sequence = ++t_sequence;
  node->backward = std::move(backward);
  node->pending.resize(outputs);
  node->inputs.reserve(inputs.size());
  for (const Tensor& input : inputs) node->inputs.push_back(edge_of(input));
  return node;
}

}  // namespace

void Gradient::collect(Tensor& total, Backend& backend, const Edge& edge) && {
  if (value_.defined()) {
    if (value_.dtype() != edge.dtype) value_ = value_.to(edge.dtype);  // of a shared result
    if (!total.defined()) {
      total = value_.detach();
    } else if (total.is_sole_owner() && total.view().is_contiguous()) {
      backend.axpby(total.view(), 1.0, value_.view(), 1.0);
    } else {
      Tensor sum = Tensor::empty_like(total);
      backend.binary(BinaryOp::add, sum.view(), total.view(), value_.view());
      total = std::move(sum);
    }
  } else if (compute_) {
    const bool in_place = total.defined() && total.is_sole_owner() && total.view().is_contiguous();
    Tensor target = in_place ? total : Tensor::empty(backend, edge.shape, edge.dtype);
    if (total.defined() && !in_place) backend.copy(target.view(), total.view());
    compute_(target.view(), total.defined() ? 1.0 : 0.0);
    total = std::move(target);
  }
}

void Gradient::add_to(const Tensor& buffer, bool has_value) && {
  if (compute_) {
    compute_(buffer.view(), has_value ? 1.0 : 0.0);
  } else if (has_value) {
    buffer.backend().axpby(buffer.view(), 1.0, value_.view(), 1.0);
  } else {
    buffer.backend().copy(buffer.view(), value_.view());
  }
}

// Frees long chains without recursion.
Node::~Node() {
  std::vector<Edge> stack = std::move(inputs);
  while (!stack.empty()) {
    const Edge input = std::move(stack.back());
    stack.pop_back();
    if (input.node != nullptr && input.node.use_count() == 1) {
      for (Edge& deeper : input.node->inputs) stack.push_back(std::move(deeper));
      input.node->inputs.clear();
    }
  }
}

bool Node::has_pending() const {
  return std::any_of(pending.begin(), pending.end(),
                     [](const Tensor& gradient) { return gradient.defined(); });
}

void Leaf::add(Gradient gradient, Backend& backend, const Edge& edge) {
  if (gradient.empty()) return;
  if (!grad.defined()) {
    // A buffer of the leaf's own: a gradient tensor that arrives may be shared with other edges.
    grad = Tensor::empty(backend, edge.shape, edge.dtype, grad_class);
  }
  std::move(gradient).add_to(grad, has_grad);
  has_grad = true;
}

void Leaf::fill_missing() {
  if (has_grad) return;
  TY_CHECK(grad.defined(), "a leaf without a buffer has no gradient to zero");
  grad.backend().fill(grad.view(), 0.0);
  has_grad = true;
}

Tensor make_leaf(const Tensor& x, MemoryClass grad_class) {
  Tensor leaf = x.detach();
  auto node = std::make_shared<Leaf>();
  node->name = "leaf";
  node->grad_class = grad_class;
  leaf.set_edge(std::move(node));
  return leaf;
}

Leaf& leaf_of(const Tensor& x) {
  TY_CHECK(x.requires_grad() && x.edge()->is_leaf(), "tensor {} is not a leaf", x.shape().str());
  return static_cast<Leaf&>(*x.edge());
}

Tensor grad_of(const Tensor& x) {
  const Leaf& leaf = leaf_of(x);
  return leaf.has_grad ? leaf.grad : Tensor();
}

SavedTensor::SavedTensor(const Tensor& x) {
  x.storage().keep();
  tensor_ = std::shared_ptr<Tensor>(new Tensor(x.detach()), [](Tensor* kept) {
    if (kept->defined()) kept->storage().unkeep();
    delete kept;
  });
}

Tensor SavedTensor::take() {
  Tensor out = std::move(*tensor_);
  *tensor_ = Tensor();
  out.storage().unkeep();
  return out;
}

Tensor record(const char* name, Tensor y, std::vector<Tensor> inputs, BackwardFn backward) {
  auto node = node_of(name, inputs, 1, [fn = std::move(backward)](std::span<const Tensor> dys) {
    return fn(dys[0]);
  });
  if (node != nullptr) y.set_edge(std::move(node));
  return y;
}

std::vector<Tensor> record(const char* name, std::vector<Tensor> ys, std::vector<Tensor> inputs,
                           BackwardOfMany backward) {
  const auto node = node_of(name, inputs, ys.size(), std::move(backward));
  if (node == nullptr) return ys;
  for (std::size_t i = 0; i < ys.size(); ++i) ys[i].set_edge(node, static_cast<int>(i));
  return ys;
}

Tensor share(Tensor y) {
  if (y.requires_grad()) y.edge()->shared = true;
  return y;
}

bool grad_enabled() { return t_grad_enabled; }

GradMode::GradMode(bool enabled) : before_(std::exchange(t_grad_enabled, enabled)) {}
GradMode::~GradMode() { t_grad_enabled = before_; }

LeafUses::LeafUses() : outer_(std::exchange(t_leaf_uses, &leaves_)) {}
LeafUses::~LeafUses() { t_leaf_uses = outer_; }

}  // namespace ty
