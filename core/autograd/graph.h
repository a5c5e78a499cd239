// The tape: what each result was computed from, and how its gradient flows back.
//
// A forward function computes its results and passes them to record() together with a backward
// function. The results own the graph, so several graphs can be alive at once (one per
// micro-batch), and the memory that a graph keeps is released with it. There are no second
// derivatives.
//
//   x ---- [ scale ] ---- h ---- [ split ] ---- a       a node per recorded function, an edge from
//   (leaf)                             |------- b       each input; split has two outputs, and its
//                                                       backward gets a gradient of each, or none
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/tensor/tensor.h"

namespace ty {

// Where the gradient of one input is sent, and its shape and type.
struct Edge {
  std::shared_ptr<Node> node;  // null for a constant
  int output = 0;              // of the node
  Shape shape;
  DType dtype = DType::f32;
};

// What a backward function returns for one input: nothing, a tensor of the input's shape, or a
// computation that writes directly into the buffer where the gradient is accumulated.
class Gradient {
 public:
  // into = beta * into + gradient; beta is 0 or 1, and 0 never reads `into`. `into` is contiguous
  // and has the input's shape; its dtype may be wider than the input's.
  using Deferred = std::function<void(const View& into, double beta)>;

  Gradient() = default;
  Gradient(Tensor value) : value_(std::move(value)) {}          // NOLINT: implicit on purpose
  Gradient(Deferred compute) : compute_(std::move(compute)) {}  // NOLINT: implicit on purpose

  bool empty() const { return !value_.defined() && !compute_; }
  // Adds this gradient to `total`, or becomes it if `total` is undefined. `total` is replaced
  // rather than written to if another tensor shares its memory.
  void collect(Tensor& total, Backend& backend, const Edge& edge) &&;
  // Adds this gradient to a buffer that must stay where it is; `has_value`: the buffer already
  // holds a sum.
  void add_to(const Tensor& buffer, bool has_value) &&;

 private:
  Tensor value_;
  Deferred compute_;
};

using Grads = std::vector<Gradient>;  // one per input, in order
// dy is contiguous; it may be overwritten if the function is its sole owner.
using BackwardFn = std::function<Grads(const Tensor& dy)>;
// For a function with several results: dys[i] is undefined if result i received no gradient.
using BackwardOfMany = std::function<Grads(std::span<const Tensor> dys)>;

// A receiver of gradients: the results of one recorded function, or (Leaf) a tensor whose gradient
// is collected for the user.
struct Node {
  const char* name = "";
  std::uint64_t sequence = 0;  // order of recording
  std::vector<Edge> inputs;    // memory stays alive through saved(...) alone
  BackwardOfMany backward;
  std::vector<Tensor> pending;  // sums of the gradients that have arrived so far, one per output
  bool shared = false;          // see share()

  virtual ~Node();
  virtual bool is_leaf() const { return false; }
  bool has_pending() const;
};

// A leaf accumulates gradients over backward() calls until clear(). Its buffer may be supplied in
// advance (a slice of a bucket, or a wider dtype); clear() keeps it.
struct Leaf final : Node {
  Tensor grad;            // undefined until the first gradient or a given buffer
  bool has_grad = false;  // grad holds a value
  MemoryClass grad_class = MemoryClass::gradient;

  bool is_leaf() const override { return true; }
  void add(Gradient gradient, Backend& backend, const Edge& edge);
  void clear() { has_grad = false; }
  // Zeroes a supplied buffer that no gradient has reached: nothing depended on this leaf.
  void fill_missing();
};

// The same tensor as a leaf: backward() will collect its gradient.
Tensor make_leaf(const Tensor& x, MemoryClass grad_class = MemoryClass::gradient);
// The leaf behind a tensor of make_leaf(); throws InternalError otherwise.
Leaf& leaf_of(const Tensor& x);
// The collected gradient of a leaf; undefined if none has arrived.
Tensor grad_of(const Tensor& x);

// A tensor kept for backward: detached, and counted as activation while any copy of this is alive.
class SavedTensor {
 public:
  SavedTensor() = default;
  explicit SavedTensor(const Tensor& x);
  const Tensor& get() const { return *tensor_; }
  const Tensor* operator->() const { return tensor_.get(); }
  const Tensor& operator*() const { return *tensor_; }
  // Hands the tensor out and forgets it, so that a backward may reuse its memory.
  Tensor take();

 private:
  std::shared_ptr<Tensor> tensor_;
};
inline SavedTensor saved(const Tensor& x) { return SavedTensor(x); }

// Gives y an edge back to those inputs that need gradients; if none does (or under NoGrad), y stays
// a constant. The backward function may capture saved(...) tensors and plain values only.
Tensor record(const char* name, Tensor y, std::vector<Tensor> inputs, BackwardFn backward);
// The same for a function with several results.
std::vector<Tensor> record(const char* name, std::vector<Tensor> ys, std::vector<Tensor> inputs,
                           BackwardOfMany backward);

// Marks a computed result as shared by several graphs, each with its own backward(). Its gradients
// are accumulated here, in the accumulator type, until a backward() with options.release_shared
// propagates their sum. Returns y.
Tensor share(Tensor y);

bool grad_enabled();

// Switches recording on or off in this thread for the lifetime of the object.
class GradMode {
 public:
  explicit GradMode(bool enabled);
  ~GradMode();
  GradMode(const GradMode&) = delete;
  GradMode& operator=(const GradMode&) = delete;

 private:
  bool before_;
};
class NoGrad : GradMode {
 public:
  NoGrad() : GradMode(false) {}
};

// Collects, for the object's lifetime, the leaves and shared results that functions of this thread
// read while nothing is recorded.
class LeafUses {
 public:
  LeafUses();
  ~LeafUses();
  LeafUses(const LeafUses&) = delete;
  LeafUses& operator=(const LeafUses&) = delete;
  std::vector<Tensor> take() { return std::move(leaves_); }

 private:
  std::vector<Tensor> leaves_;
  std::vector<Tensor>* outer_;
};

}  // namespace ty
