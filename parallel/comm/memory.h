// CommMemory: where the views that a communicator is given lie. self/, threads/ and the mailbox
// touch what views point to through this class alone, so another kind of memory is one more case
// here and none elsewhere.
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
  // y = x, both contiguous and of one dtype and count; nothing if they are the same memory.
  void copy(const View& y, const View& x) const;

 private:
  Backend* backend_ = nullptr;  // null: the host's memory
};

}  // namespace ty
