// Copies between host memory and a device through page-locked memory: a ring of pieces in which
// copies follow each other. Only where the ring is full of copies that have not ended does the host
// wait, so a step that sends less than the ring holds waits for none of them.
#pragma once

#include <cstddef>
#include <deque>
#include <vector>

#include "core/backend/cuda/runtime/host_wait.h"

namespace ty::cuda::runtime {

class Staging {
 public:
  static constexpr std::size_t kRing = std::size_t{16} << 20;
  static constexpr std::size_t kPiece = std::size_t{4} << 20;  // at most, of one copy

  Staging(GraphStream& stream, const HostWait& wait) : stream_(stream), wait_(wait) {}
  ~Staging();
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  // Returns when the host memory has been read; the device has it in the order of the stream.
  void write(void* device, const void* host, std::size_t bytes);
  // Returns when the host has it, and with it all that was issued before.
  void read(void* host, const void* device, std::size_t bytes);

 private:
  struct Piece {
    std::size_t first, bytes;  // in the ring
    Event done;                // its copy
  };
  // The next one; waits until what lay there has been copied.
  Piece& next(std::size_t bytes);
  std::byte* at(const Piece& piece) const { return ring_ + piece.first; }
  Event new_event();
  void drop_oldest();

  GraphStream& stream_;
  const HostWait& wait_;
  std::byte* ring_ = nullptr;  // taken when first used
  std::size_t end_ = 0;        // of the last piece
  std::deque<Piece> pieces_;   // oldest first
  std::vector<Event> free_;
};

}  // namespace ty::cuda::runtime
