// Dims: a short list of sizes or strides, stored inline so that shapes never allocate.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

namespace ty {

class Dims {
 public:
  static constexpr int kMaxRank = 16;  // two per core of a tensor train, and to spare

  Dims() = default;
  Dims(std::initializer_list<std::int64_t> dims);
  explicit Dims(std::span<const std::int64_t> dims);

  int rank() const { return rank_; }
  bool empty() const { return rank_ == 0; }
  // Dimension i; a negative i counts from the end.
  std::int64_t operator[](int i) const {
    return dims_[static_cast<std::size_t>(i < 0 ? i + rank_ : i)];
  }
  std::int64_t& operator[](int i) { return dims_[static_cast<std::size_t>(i < 0 ? i + rank_ : i)]; }
  const std::int64_t* begin() const { return dims_.data(); }
  const std::int64_t* end() const { return dims_.data() + rank_; }

  void push_back(std::int64_t dim);
  void insert(int position, std::int64_t dim);
  void erase(int position);
  // Product of all entries; 1 for rank 0. Throws ShapeError if it exceeds 2^60.
  std::int64_t numel() const;
  // "[2, 3, 4]"
  std::string str() const;

  friend bool operator==(const Dims& a, const Dims& b) {
    if (a.rank_ != b.rank_) return false;
    for (int i = 0; i < a.rank_; ++i) {
      if (a[i] != b[i]) return false;
    }
    return true;
  }

 private:
  std::array<std::int64_t, kMaxRank> dims_{};
  int rank_ = 0;
};

using Shape = Dims;
using Strides = Dims;  // in elements, not bytes

// Row-major strides of a shape.
Strides contiguous_strides(const Shape& shape);
// The shape to which both broadcast (numpy rules); throws ShapeError that names `what`.
Shape broadcast_shape(const Shape& a, const Shape& b, const char* what);

}  // namespace ty
