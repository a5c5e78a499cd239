#include "core/backend/cuda/runtime/staging.h"

#include <algorithm>
#include <cstring>

namespace ty::cuda::runtime {

namespace {
constexpr std::size_t kChunk = std::size_t{4} << 20;
}

Staging::Staging(Stream stream) : stream_(stream) {}

Staging::~Staging() {
  for (const Chunk& chunk : chunks_) {
    if (chunk.memory == nullptr) continue;
    destroy_event(chunk.done);
    give_back_pinned(chunk.memory);
  }
}

Staging::Chunk& Staging::next() {
  Chunk& chunk = chunks_[turn_++ % chunks_.size()];
  if (chunk.memory == nullptr) {
    chunk.done = make_event();
    chunk.memory = obtain_pinned(kChunk);
  } else {
    wait_on_host(chunk.done);
  }
  return chunk;
}

void Staging::write(void* device, const void* host, std::size_t bytes) {
  for (std::size_t first = 0; first < bytes; first += kChunk) {
    const std::size_t count = std::min(kChunk, bytes - first);
    Chunk& chunk = next();
    std::memcpy(chunk.memory, static_cast<const std::byte*>(host) + first, count);
    copy_to_device(static_cast<std::byte*>(device) + first, chunk.memory, count, stream_);
    record(chunk.done, stream_);
  }
}

void Staging::read(void* host, const void* device, std::size_t bytes) {
  struct Piece {
    Chunk* chunk;
    std::size_t first, count;
  };
  const auto take = [&](const Piece& piece) {
    wait_on_host(piece.chunk->done);
    std::memcpy(static_cast<std::byte*>(host) + piece.first, piece.chunk->memory, piece.count);
  };
  Piece before{nullptr, 0, 0};  // being copied while the next one is issued
  for (std::size_t first = 0; first < bytes; first += kChunk) {
    const Piece piece{&next(), first, std::min(kChunk, bytes - first)};
    copy_to_host(piece.chunk->memory, static_cast<const std::byte*>(device) + first, piece.count,
                 stream_);
    record(piece.chunk->done, stream_);
    if (before.chunk != nullptr) take(before);
    before = piece;
  }
  if (before.chunk != nullptr) take(before);
}

}  // namespace ty::cuda::runtime
