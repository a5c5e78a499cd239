#include "core/backend/cuda/runtime/staging.h"

#include <algorithm>
#include <cstring>

namespace ty::cuda::runtime {

namespace {
constexpr std::size_t kAlignment = 256;
}

Staging::~Staging() {
  for (const Piece& piece : pieces_) destroy_event(piece.done);
  for (const Event event : free_) destroy_event(event);
  if (ring_ != nullptr) give_back_pinned(ring_);
}

Event Staging::new_event() {
  if (free_.empty()) return make_event();
  const Event event = free_.back();
  free_.pop_back();
  return event;
}

void Staging::drop_oldest() {
  wait_.for_event(pieces_.front().done);
  free_.push_back(pieces_.front().done);
  pieces_.pop_front();
}

Staging::Piece& Staging::next(std::size_t bytes) {
  if (ring_ == nullptr) ring_ = static_cast<std::byte*>(obtain_pinned(kRing));
  const std::size_t size = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  const std::size_t first = end_ + size <= kRing ? end_ : 0;
  const auto is_free = [&](const Piece& piece) {
    return piece.first + piece.bytes <= first || first + size <= piece.first;
  };
  while (!std::all_of(pieces_.begin(), pieces_.end(), is_free)) drop_oldest();
  end_ = first + size;
  return pieces_.emplace_back(Piece{first, size, new_event()});
}

void Staging::write(void* device, const void* host, std::size_t bytes) {
  for (std::size_t first = 0; first < bytes; first += kPiece) {
    const std::size_t count = std::min(kPiece, bytes - first);
    const Piece& piece = next(count);
    std::memcpy(at(piece), static_cast<const std::byte*>(host) + first, count);
    copy_to_device(static_cast<std::byte*>(device) + first, at(piece), count,
                   stream_.issue("copy to device"));
    stream_.record(piece.done);
  }
}

// While one piece is taken out, the next one is copied. The ring holds more than these two, so
// neither is dropped before.
void Staging::read(void* host, const void* device, std::size_t bytes) {
  struct Part {
    Event done;
    const std::byte* from;
    std::size_t first, count;
  };
  const auto take = [&](const Part& part) {
    wait_.for_event(part.done);
    std::memcpy(static_cast<std::byte*>(host) + part.first, part.from, part.count);
  };
  Part before{};
  for (std::size_t first = 0; first < bytes; first += kPiece) {
    const std::size_t count = std::min(kPiece, bytes - first);
    const Piece& piece = next(count);
    copy_to_host(at(piece), static_cast<const std::byte*>(device) + first, count,
                 stream_.issue("copy to host"));
    stream_.record(piece.done);
    if (before.from != nullptr) take(before);
    before = {piece.done, at(piece), first, count};
  }
  if (before.from != nullptr) take(before);
}

}  // namespace ty::cuda::runtime
