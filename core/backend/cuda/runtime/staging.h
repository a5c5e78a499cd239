// Copies between host memory and a device through page-locked chunks.
#pragma once

#include <array>
#include <cstddef>

#include "core/backend/cuda/runtime/api.h"

namespace ty::cuda::runtime {

class Staging {
 public:
  explicit Staging(Stream stream);
  ~Staging();
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  // Returns when the host memory has been read; the device has it in the order of the stream.
  void write(void* device, const void* host, std::size_t bytes);
  // Returns when the host has it.
  void read(void* host, const void* device, std::size_t bytes);

 private:
  struct Chunk {
    void* memory = nullptr;  // taken when first used
    Event done = nullptr;    // its last copy
  };
  Chunk& next();  // waits until it is free

  Stream stream_;
  std::array<Chunk, 2> chunks_;  // one is filled while the other is copied
  std::size_t turn_ = 0;
};

}  // namespace ty::cuda::runtime
