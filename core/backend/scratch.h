// Memory of one kernel or of a few, counted as workspace. On a device it may be handed out again
// while they still run: what uses it next is issued after them, on the same stream.
#pragma once

#include <cstdint>

#include "core/backend/allocator.h"
#include "core/base/view.h"

namespace ty {

class Scratch {
 public:
  Scratch(Allocator& memory, std::int64_t bytes)
      : memory_(memory),
        bytes_(static_cast<std::size_t>(bytes)),
        data_(memory.allocate(bytes_, MemoryClass::workspace)) {}
  ~Scratch() { memory_.release(data_, bytes_, MemoryClass::workspace); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  template <typename T>
  T* as(std::int64_t first = 0) const {
    return static_cast<T*>(data_) + first;
  }
  void* data() const { return data_; }

 private:
  Allocator& memory_;
  std::size_t bytes_;
  void* data_;
};

// A contiguous view of memory of its own.
class ScratchView {
 public:
  ScratchView(Allocator& memory, DType dtype, const Shape& shape)
      : memory_(memory, shape.numel() * static_cast<std::int64_t>(size_of(dtype))),
        view_(contiguous_view(memory_.data(), dtype, shape)) {}
  const View& view() const { return view_; }
  operator const View&() const { return view_; }

 private:
  Scratch memory_;
  View view_;
};

}  // namespace ty
