// The random words of core/base/random.h, for kernels: Philox4x32-10 (Salmon et al., SC 2011).
#pragma once

#include "core/backend/cuda/kernel/portable.h"

namespace ty::cuda::kernel {

struct Words {
  std::uint32_t w[4];
  // Without indexing, for which a thread's registers would have to go through memory.
  TY_DEVICE std::uint32_t pick(std::uint32_t i) const {
    const std::uint32_t low = (i & 1u) != 0 ? w[1] : w[0];
    const std::uint32_t high = (i & 1u) != 0 ? w[3] : w[2];
    return (i & 2u) != 0 ? high : low;
  }
};

// RandomStream::block() of the stream with this key.
TY_DEVICE Words random_block(std::uint64_t key, std::uint64_t sample, std::uint64_t block) {
  constexpr std::uint64_t kFactor0 = 0xd2511f53u, kFactor2 = 0xcd9e8d57u;
  constexpr std::uint32_t kWeyl0 = 0x9e3779b9u, kWeyl1 = 0xbb67ae85u;
  constexpr int kRounds = 10;
  auto c0 = static_cast<std::uint32_t>(block), c1 = static_cast<std::uint32_t>(block >> 32);
  auto c2 = static_cast<std::uint32_t>(sample), c3 = static_cast<std::uint32_t>(sample >> 32);
  auto k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < kRounds; ++round) {
    const std::uint64_t p0 = kFactor0 * c0, p2 = kFactor2 * c2;
    c0 = static_cast<std::uint32_t>(p2 >> 32) ^ c1 ^ k0;
    c2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c1 = static_cast<std::uint32_t>(p2);
    c3 = static_cast<std::uint32_t>(p0);
    k0 += kWeyl0;
    k1 += kWeyl1;
  }
  return {{c0, c1, c2, c3}};
}

TY_DEVICE std::uint32_t random_word(std::uint64_t key, std::uint64_t sample, std::uint64_t index) {
  return random_block(key, sample, index / 4).pick(static_cast<std::uint32_t>(index % 4));
}

// Words of ascending indices of one sample, a block being computed once for all four of its words.
class WordReader {
 public:
  TY_DEVICE WordReader(std::uint64_t key, std::uint64_t sample) : key_(key), sample_(sample) {}
  TY_DEVICE std::uint32_t operator()(std::uint64_t index) {
    if (index / 4 != block_) {
      block_ = index / 4;
      words_ = random_block(key_, sample_, block_);
    }
    return words_.pick(static_cast<std::uint32_t>(index % 4));
  }

 private:
  std::uint64_t key_, sample_, block_ = ~std::uint64_t{0};
  Words words_{};
};

}  // namespace ty::cuda::kernel
