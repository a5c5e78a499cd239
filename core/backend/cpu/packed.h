// A thread's buffer for packed operands, aligned to cache lines and kept for its next product.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace ty::cpu {

class Packed {
 public:
  // Space for `count` elements; earlier contents are lost.
  template <typename T>
  T* room(std::int64_t count) {
    const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(T);
    if (bytes > size_) {
      data_.reset();
      data_.reset(::operator new(bytes, kLine));
      size_ = bytes;
    }
    return static_cast<T*>(data_.get());
  }

 private:
  static constexpr std::align_val_t kLine{64};
  struct Delete {
    void operator()(void* data) const { ::operator delete(data, kLine); }
  };
  std::unique_ptr<void, Delete> data_;
  std::size_t size_ = 0;
};

}  // namespace ty::cpu
