#include "core/base/shape.h"

#include <algorithm>

#include "core/base/error.h"

namespace ty {

Dims::Dims(std::initializer_list<std::int64_t> dims)
    : Dims(std::span<const std::int64_t>(dims.begin(), dims.size())) {}

Dims::Dims(std::span<const std::int64_t> dims) {
  for (std::int64_t dim : dims) push_back(dim);
}

void Dims::push_back(std::int64_t dim) { insert(rank_, dim); }

void Dims::insert(int position, std::int64_t dim) {
  if (rank_ == kMaxRank)
    throw ShapeError("a shape has at most {} dimensions, {} has no room", kMaxRank, str());
  for (int i = rank_; i > position; --i)
    dims_[static_cast<std::size_t>(i)] = dims_[static_cast<std::size_t>(i - 1)];
  dims_[static_cast<std::size_t>(position)] = dim;
  ++rank_;
}

void Dims::erase(int position) {
  for (int i = position; i + 1 < rank_; ++i)
    dims_[static_cast<std::size_t>(i)] = dims_[static_cast<std::size_t>(i + 1)];
  --rank_;
}

std::int64_t Dims::numel() const {
  constexpr std::int64_t kMost = std::int64_t{1} << 60;  // their bytes stay below 2^63
  std::int64_t product = 1;
  bool is_too_large = false;
  for (std::int64_t dim : *this) {
    if (dim == 0) return 0;
    is_too_large |= __builtin_mul_overflow(product, dim, &product) || product > kMost;
  }
  if (is_too_large) throw ShapeError("{} has more than 2^60 elements", str());
  return product;
}

std::string Dims::str() const { return fmt::format("[{}]", fmt::join(begin(), end(), ", ")); }

Strides contiguous_strides(const Shape& shape) {
  Strides strides = shape;
  std::int64_t step = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    strides[i] = step;
    step *= std::max<std::int64_t>(shape[i], 1);
  }
  return strides;
}

Shape broadcast_shape(const Shape& a, const Shape& b, const char* what) {
  Shape result = a.rank() >= b.rank() ? a : b;
  const Shape& other = a.rank() >= b.rank() ? b : a;
  for (int i = 1; i <= other.rank(); ++i) {
    if (result[-i] == other[-i] || other[-i] == 1) continue;
    if (result[-i] != 1) {
      throw ShapeError("{}: {} and {} do not broadcast (dimension -{}: {} vs {})", what, a.str(),
                       b.str(), i, a[-i], b[-i]);
    }
    result[-i] = other[-i];
  }
  return result;
}

}  // namespace ty
