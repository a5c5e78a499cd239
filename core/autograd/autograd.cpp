#include "core/autograd/autograd.h"

#include <queue>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "core/base/error.h"

namespace ty {

namespace {

thread_local bool t_grad_enabled = true;
thread_local std::uint64_t t_sequence = 0;
// Set while checkpoint() runs its function unrecorded: the leaves that function reads.
thread_local std::vector<Tensor>* t_leaf_uses = nullptr;

class EnableGrad {
 public:
  EnableGrad() : before_(std::exchange(t_grad_enabled, true)) {}
  ~EnableGrad() { t_grad_enabled = before_; }
  EnableGrad(const EnableGrad&) = delete;
  EnableGrad& operator=(const EnableGrad&) = delete;

 private:
  bool before_;
};

struct ByRecordingOrder {
  bool operator()(const Node* a, const Node* b) const { return a->sequence < b->sequence; }
};

// Backward functions see contiguous gradients only.
Tensor contiguous(Tensor x) { return x.view().is_contiguous() ? std::move(x) : x.contiguous(); }

// How often each leaf is an input of the nodes that a backward from these outputs will run.
std::unordered_map<Node*, int> count_leaf_uses(std::span<const Tensor> outputs) {
  std::unordered_map<Node*, int> uses;
  std::unordered_set<Node*> seen;
  std::vector<Node*> stack;
  for (const Tensor& output : outputs) {
    if (output.requires_grad() && seen.insert(output.edge().get()).second) {
      stack.push_back(output.edge().get());
    }
  }
  while (!stack.empty()) {
    Node* node = stack.back();
    stack.pop_back();
    for (const Edge& input : node->inputs) {
      Node* next = input.node.get();
      if (next == nullptr) continue;
      if (next->is_leaf()) ++uses[next];
      if (seen.insert(next).second) stack.push_back(next);
    }
  }
  return uses;
}

// Gradients of shared results add up over many graphs, so they do in a type wide enough.
Edge edge_of(const Tensor& x) {
  const bool widen = x.requires_grad() && x.edge()->shared;
  return Edge{x.edge(), x.shape(), widen ? accumulator_of(x.dtype()) : x.dtype()};
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

void Leaf::add(Gradient gradient, Backend& backend, const Edge& edge) {
  if (gradient.empty()) return;
  if (!grad.defined()) {
    // A buffer of the leaf's own: a gradient tensor that arrives may be shared with other edges.
    grad = Tensor::empty(backend, edge.shape, edge.dtype, grad_class);
  }
  std::move(gradient).add_to(grad, has_grad);
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

Tensor record(const char* name, Tensor y, std::vector<Tensor> inputs, BackwardFn backward_fn) {
  if (!t_grad_enabled) {
    if (t_leaf_uses != nullptr) {
      for (const Tensor& input : inputs) {
        if (!input.requires_grad()) continue;
        if (input.edge()->is_leaf() || input.edge()->shared) t_leaf_uses->push_back(input);
      }
    }
    return y;
  }
  bool any = false;
  for (const Tensor& input : inputs) any = any || input.requires_grad();
  if (!any) return y;
  auto node = std::make_shared<Node>();
  node->name = name;
  node->sequence = ++t_sequence;
  node->backward = std::move(backward_fn);
  node->inputs.reserve(inputs.size());
  for (const Tensor& input : inputs) {
    node->inputs.push_back(edge_of(input));
  }
  y.set_edge(std::move(node));
  return y;
}

Tensor share(Tensor y) {
  if (y.requires_grad()) y.edge()->shared = true;
  return y;
}

bool grad_enabled() { return t_grad_enabled; }

NoGrad::NoGrad() : before_(t_grad_enabled) { t_grad_enabled = false; }
NoGrad::~NoGrad() { t_grad_enabled = before_; }

void backward(std::span<const Tensor> outputs, std::span<const Tensor> gradients,
              const BackwardOptions& options) {
  TY_CHECK(outputs.size() == gradients.size(), "{} outputs, {} gradients", outputs.size(),
           gradients.size());
  NoGrad no_grad;
  std::unordered_map<Node*, int> uses;
  if (options.on_leaf_complete) uses = count_leaf_uses(outputs);

  std::priority_queue<Node*, std::vector<Node*>, ByRecordingOrder> ready;
  std::unordered_map<Node*, std::shared_ptr<Node>> alive;  // queued nodes
  const auto send = [&](const Edge& to, Backend& backend, Gradient gradient) {
    if (to.node == nullptr || gradient.empty()) return;
    const std::shared_ptr<Node>& node = to.node;
    if (node->is_leaf()) {
      static_cast<Leaf&>(*node).add(std::move(gradient), backend, to);
      return;
    }
    std::move(gradient).collect(node->pending, backend, to);
    if (node->shared && !options.release_shared) return;
    if (alive.emplace(node.get(), node).second) ready.push(node.get());
  };
  // A shared result may hold gradients of earlier backwards (or of a replayed function) alone.
  const auto release = [&](const Edge& to) {
    if (!options.release_shared || to.node == nullptr || !to.node->shared) return;
    if (to.node->pending.defined() && alive.emplace(to.node.get(), to.node).second) {
      ready.push(to.node.get());
    }
  };

  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].shape() != gradients[i].shape()) {
      throw ShapeError("backward: output {} and its gradient {} differ", outputs[i].shape().str(),
                       gradients[i].shape().str());
    }
    send(Edge{outputs[i].edge(), outputs[i].shape(), outputs[i].dtype()}, outputs[i].backend(),
         Gradient(gradients[i]));
  }
  while (!ready.empty()) {
    const std::shared_ptr<Node> node = std::move(alive.at(ready.top()));
    alive.erase(ready.top());
    ready.pop();
    TY_CHECK(node->backward != nullptr, "'{}': its graph was already used by backward", node->name);
    const Tensor dy = contiguous(std::move(node->pending));
    node->pending = Tensor();
    const BackwardFn fn = std::move(node->backward);
    node->backward = nullptr;
    const std::vector<Edge> inputs = std::move(node->inputs);
    node->inputs.clear();
    Backend& backend = dy.backend();
    Grads grads = fn(dy);
    TY_CHECK(grads.size() == inputs.size(), "'{}' has {} inputs but gave {} gradients", node->name,
             inputs.size(), grads.size());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      send(inputs[i], backend, std::move(grads[i]));
      release(inputs[i]);
    }
    if (!options.on_leaf_complete) continue;
    for (const Edge& input : inputs) {
      const auto use = uses.find(input.node.get());
      if (use != uses.end() && --use->second == 0) {
        options.on_leaf_complete(static_cast<Leaf&>(*input.node));
      }
    }
  }
}

void backward(const Tensor& output, const Tensor& gradient, const BackwardOptions& options) {
  backward(std::span(&output, 1), std::span(&gradient, 1), options);
}

Tensor checkpoint(std::function<Tensor(std::span<const Tensor>)> fn, std::vector<Tensor> inputs) {
  if (!t_grad_enabled) return fn(inputs);
  // First run: nothing is recorded but which leaves the function reads, so that backward knows when
  // a leaf has received everything.
  std::vector<Tensor> leaves;
  Tensor y;
  {
    NoGrad no_grad;
    std::vector<Tensor>* const outer = std::exchange(t_leaf_uses, &leaves);
    try {
      y = fn(inputs);
    } catch (...) {
      t_leaf_uses = outer;
      throw;
    }
    t_leaf_uses = outer;
  }
  std::vector<SavedTensor> kept;
  std::vector<bool> wants_grad;
  for (const Tensor& input : inputs) {
    kept.push_back(saved(input));
    wants_grad.push_back(input.requires_grad());
  }
  const std::size_t count = inputs.size();
  std::vector<Tensor> edges = std::move(inputs);
  for (Tensor& leaf : leaves) edges.push_back(std::move(leaf));
  const std::size_t edge_count = edges.size();
  return record("checkpoint", y, std::move(edges), [=](const Tensor& dy) {
    std::vector<Tensor> again;
    for (std::size_t i = 0; i < count; ++i) {
      again.push_back(wants_grad[i] ? make_leaf(*kept[i], MemoryClass::workspace)
                                    : kept[i]->detach());
    }
    Tensor replayed;
    {
      EnableGrad grad;
      replayed = fn(again);
    }
    backward(replayed, dy);
    Grads grads(edge_count);
    for (std::size_t i = 0; i < count; ++i) {
      if (wants_grad[i]) grads[i] = Gradient(grad_of(again[i]));
    }
    return grads;
  });
}

}  // namespace ty
