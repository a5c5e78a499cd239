// Transient memory of one kernel call, counted as workspace.
#pragma once

#include "core/backend/allocator.h"

namespace ty::cpu {

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
  T* as() const {
    return static_cast<T*>(data_);
  }

 private:
  Allocator& memory_;
  std::size_t bytes_;
  void* data_;
};

}  // namespace ty::cpu
