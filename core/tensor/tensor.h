// Tensor: a cheap, copyable handle to a strided part of a Storage, with an optional graph edge.
//
// Copies share memory. The functions here move or inspect data and are not differentiable; the
// differentiable ones are in core/ops. The edge tells autograd where to send a gradient: to a node
// of the graph for a computed tensor, to a leaf for a parameter, nowhere for a constant.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/tensor/storage.h"

namespace ty {

struct Node;

class Tensor {
 public:
  Tensor() = default;
  Tensor(std::shared_ptr<Storage> storage, View view)
      : storage_(std::move(storage)), view_(std::move(view)) {}

  // Uninitialised, contiguous.
  static Tensor empty(Backend& backend, const Shape& shape, DType dtype,
                      MemoryClass memory_class = MemoryClass::workspace);
  // Uninitialised, contiguous, with x's shape, dtype and backend.
  static Tensor empty_like(const Tensor& x);
  static Tensor full(Backend& backend, const Shape& shape, DType dtype, double value);
  // Copies host values; T decides the dtype.
  template <typename T>
  static Tensor from(Backend& backend, const Shape& shape, std::span<const T> values,
                     MemoryClass memory_class = MemoryClass::workspace) {
    Tensor t = empty(backend, shape, DTypeOf<T>::value, memory_class);
    t.check_count(static_cast<std::int64_t>(values.size()));
    backend.write(t.view(), values.data());
    return t;
  }

  bool defined() const { return storage_ != nullptr; }
  const View& view() const { return view_; }
  const Shape& shape() const { return view_.shape; }
  std::int64_t dim(int i) const { return view_.shape[i]; }
  int rank() const { return view_.rank(); }
  std::int64_t numel() const { return view_.numel(); }
  DType dtype() const { return view_.dtype; }
  Backend& backend() const { return storage_->backend(); }
  Storage& storage() const { return *storage_; }
  // True if no other handle refers to this memory, so that it may be overwritten.
  bool is_sole_owner() const { return storage_.use_count() == 1; }

  // Another view of the same storage, without an edge.
  Tensor alias(View view) const { return Tensor(storage_, std::move(view)); }
  // The same memory without the edge.
  Tensor detach() const { return Tensor(storage_, view_); }
  // This tensor if it is contiguous, else a contiguous copy; no edge.
  Tensor contiguous() const;
  // A copy in another element type; no edge.
  Tensor to(DType dtype) const;
  // All values on the host, row-major; T must match dtype(). Blocking.
  template <typename T>
  std::vector<T> values() const {
    check_dtype(DTypeOf<T>::value);
    std::vector<T> host(static_cast<std::size_t>(numel()));
    backend().read(host.data(), contiguous().view());
    return host;
  }
  // The value of a one-element tensor of any float type. Blocking.
  double item() const;

  bool requires_grad() const { return edge_ != nullptr; }
  const std::shared_ptr<Node>& edge() const { return edge_; }
  int output() const { return output_; }  // of the edge's node
  void set_edge(std::shared_ptr<Node> edge, int output = 0) {
    edge_ = std::move(edge);
    output_ = output;
  }

 private:
  void check_count(std::int64_t count) const;
  void check_dtype(DType wanted) const;

  std::shared_ptr<Storage> storage_;
  View view_;
  std::shared_ptr<Node> edge_;
  int output_ = 0;
};

}  // namespace ty
