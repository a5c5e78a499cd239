// CommMemory: the kind of memory in which a communicator's operands lie. self/, threads/ and the
// mailbox access operands only through this class, so support for another kind of memory is
// confined to it.
#pragma once

#include <cstddef>
#include <vector>

#include "core/base/view.h"

namespace ty {

class Backend;

class CommMemory {
 public:
  CommMemory() = default;  // the host's
  explicit CommMemory(Backend& backend) : backend_(&backend) {}

  // The bytes of a contiguous view, on the host.
  std::vector<std::byte> bytes_of(const View& x) const;
  // Fills a contiguous view from x.bytes() bytes on the host.
  void write(const View& x, const std::byte* host) const;
  // y = x, both contiguous, with equal dtype and count; a no-op if they are the same memory.
  void copy(const View& y, const View& x) const;

 private:
  Backend* backend_ = nullptr;  // null: the host's memory
};

}  // namespace ty
