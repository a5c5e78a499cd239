// Arrays for kernel tests: memory, a view on it, its values as doubles whatever the dtype.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <memory_resource>
#include <vector>

#include "core/backend/backend.h"
#include "core/backend/reference/indexing.h"

namespace ty::test {

// Owns the elements of a view, in memory of the default resource. Floats start as NaN, so that
// nothing may be read before it is written.
class Array {
 public:
  struct Strided {};  // says that strides follow, not values

  Array(DType dtype, const Shape& shape)
      : Array(Strided{}, dtype, shape, contiguous_strides(shape)) {}
  Array(Strided, DType dtype, const Shape& shape, const Strides& strides) {
    std::int64_t last = 0;
    for (int d = 0; d < shape.rank(); ++d) last += (shape[d] - 1) * strides[d];
    const auto elements = static_cast<std::size_t>(last + 1);
    bytes_.resize(elements * size_of(dtype) + kAlignment);
    void* start = bytes_.data();
    std::size_t space = bytes_.size();
    std::align(kAlignment, bytes_.size() - kAlignment, start, space);
    view_ = View{start, dtype, shape, strides};
    if (is_floating(dtype)) set_all(std::numeric_limits<double>::quiet_NaN());
  }
  Array(DType dtype, const Shape& shape, const std::vector<double>& values) : Array(dtype, shape) {
    set(values);
  }
  Array(const Array& other)
      : Array(Strided{}, other.view_.dtype, other.view_.shape, other.view_.strides) {
    set(other.values());
  }
  Array& operator=(const Array&) = delete;

  // Numbers in [low, high): the same ones for every dtype and layout, up to rounding.
  static Array random(DType dtype, const Shape& shape, const Strides& strides, std::uint64_t seed,
                      double low = -1, double high = 1) {
    Array array(Strided{}, dtype, shape, strides);
    const RandomStream stream(seed, site_id("array"));
    std::vector<double> values(static_cast<std::size_t>(shape.numel()));
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = low + (high - low) * uniform_open(stream.word(0, i));
    }
    array.set(values);
    return array;
  }
  static Array random(DType dtype, const Shape& shape, std::uint64_t seed, double low = -1,
                      double high = 1) {
    return random(dtype, shape, contiguous_strides(shape), seed, low, high);
  }

  const View& view() const { return view_; }
  operator const View&() const { return view_; }

  // In row-major order of the view.
  std::vector<double> values() const {
    std::vector<double> result;
    reference::for_each<1>(view_.shape, {&view_}, [&](auto, auto& at) {
      result.push_back(reference::load_any(view_, at[0]));
    });
    return result;
  }
  void set(const std::vector<double>& values) {
    reference::for_each<1>(view_.shape, {&view_}, [&](std::int64_t i, auto& at) {
      reference::store_any(view_, at[0], values[static_cast<std::size_t>(i)]);
    });
  }
  void set_all(double value) {
    set(std::vector<double>(static_cast<std::size_t>(view_.numel()), value));
  }

 private:
  static constexpr std::size_t kAlignment = 64;

  std::pmr::vector<std::byte> bytes_;
  View view_;
};

}  // namespace ty::test
