#include "core/autograd/backward.h"

#include <algorithm>
#include <queue>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "core/base/error.h"

namespace ty {

namespace {

struct ByRecordingOrder {
  bool operator()(const Node* a, const Node* b) const { return a->sequence < b->sequence; }
};

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

// One backward().
class Run {
 public:
  Run(std::span<const Tensor> outputs, const BackwardOptions& options) : options_(options) {
    if (options.on_leaf_complete) uses_ = count_leaf_uses(outputs);
  }

  void send(const Edge& to, Backend& backend, Gradient gradient) {
    if (to.node == nullptr || gradient.empty()) return;
    if (to.node->is_leaf()) {
      static_cast<Leaf&>(*to.node).add(std::move(gradient), backend, to);
      return;
    }
    std::move(gradient).collect(to.node->pending[static_cast<std::size_t>(to.output)], backend, to);
    if (!to.node->shared || options_.release_shared) queue(to.node);
  }

  void run() {
    while (!ready_.empty()) {
      const std::shared_ptr<Node> node = std::move(alive_.at(ready_.top()));
      alive_.erase(ready_.top());
      ready_.pop();
      const std::vector<Edge> inputs = std::move(node->inputs);
      node->inputs.clear();
      run_node(*node, inputs);
      count_down(inputs);
    }
  }

 private:
  void queue(const std::shared_ptr<Node>& node) {
    if (alive_.emplace(node.get(), node).second) ready_.push(node.get());
  }

  void run_node(Node& node, const std::vector<Edge>& inputs) {
    TY_CHECK(node.backward != nullptr, "'{}': its graph was already used by backward", node.name);
    std::vector<Tensor> dys = std::exchange(node.pending, {});
    Backend* backend = nullptr;
    for (Tensor& dy : dys) {  // backward functions see contiguous gradients only
      if (!dy.defined()) continue;
      backend = &dy.backend();
      if (!dy.view().is_contiguous()) dy = dy.contiguous();
    }
    const BackwardOfMany fn = std::exchange(node.backward, nullptr);
    Grads gradients = fn(dys);
    TY_CHECK(gradients.size() == inputs.size(), "'{}' has {} inputs but gave {} gradients",
             node.name, inputs.size(), gradients.size());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      send(inputs[i], *backend, std::move(gradients[i]));
      release(inputs[i]);
    }
  }

  // A shared result may hold gradients of earlier backwards (or of a replayed function) alone.
  void release(const Edge& to) {
    if (!options_.release_shared || to.node == nullptr || !to.node->shared) return;
    if (to.node->has_pending()) queue(to.node);
  }

  void count_down(const std::vector<Edge>& inputs) {
    if (!options_.on_leaf_complete) return;
    for (const Edge& input : inputs) {
      const auto use = uses_.find(input.node.get());
      if (use != uses_.end() && --use->second == 0) {
        options_.on_leaf_complete(static_cast<Leaf&>(*input.node));
      }
    }
  }

  const BackwardOptions& options_;
  std::unordered_map<Node*, int> uses_;  // of leaves, still to come
  std::priority_queue<Node*, std::vector<Node*>, ByRecordingOrder> ready_;
  std::unordered_map<Node*, std::shared_ptr<Node>> alive_;  // queued nodes
};

}  // namespace

void backward(std::span<const Tensor> outputs, std::span<const Tensor> gradients,
              const BackwardOptions& options) {
  TY_CHECK(outputs.size() == gradients.size(), "{} outputs, {} gradients", outputs.size(),
           gradients.size());
  const NoGrad no_grad;
  Run run(outputs, options);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (!gradients[i].defined()) continue;
    if (outputs[i].shape() != gradients[i].shape()) {
      throw ShapeError("backward: output {} and its gradient {} differ", outputs[i].shape().str(),
                       gradients[i].shape().str());
    }
    run.send({outputs[i].edge(), outputs[i].output(), outputs[i].shape(), outputs[i].dtype()},
             outputs[i].backend(), Gradient(gradients[i]));
  }
  run.run();
}

void backward(const Tensor& output, const Tensor& gradient, const BackwardOptions& options) {
  backward(std::span(&output, 1), std::span(&gradient, 1), options);
}

}  // namespace ty
