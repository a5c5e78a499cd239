// Storage: one block of a backend's memory, counted under a memory class during its lifetime.
#pragma once

#include <cstddef>
#include <memory>

#include "core/backend/backend.h"

namespace ty {

class Storage {
 public:
  Storage(Backend& backend, std::size_t bytes, MemoryClass memory_class);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  Backend& backend() const { return *backend_; }
  void* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }
  MemoryClass memory_class() const { return class_; }
  // Counts the block under another class from now on.
  void set_class(MemoryClass memory_class);
  // While at least one holder keeps a workspace block for backward, the block counts as activation.
  void keep();
  void unkeep();

 private:
  Backend* backend_;
  void* data_;
  std::size_t bytes_;
  MemoryClass class_;
  int keepers_ = 0;
};

}  // namespace ty
