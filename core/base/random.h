// Counter-based randomness: a draw is a pure function of what it is for, so there is no state to
// save, and no number depends on how work is distributed over ranks, threads or micro-batches.
//
// Generator: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
// The 64-bit key is mixed from (seed, site, step); the 128-bit counter is (sample, index).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace ty {

// A stable 64-bit identifier of a place that draws numbers (FNV-1a of its path, e.g.
// "blocks.3.mlp.drop").
std::uint64_t site_id(std::string_view path);

class RandomStream {
 public:
  RandomStream() = default;
  RandomStream(std::uint64_t seed, std::uint64_t site, std::uint64_t step = 0);

  // Four independent uniform 32-bit words for this (sample, block).
  std::array<std::uint32_t, 4> block(std::uint64_t sample, std::uint64_t block) const;
  // Word `index` of a sample's sequence: block(sample, index / 4)[index % 4].
  std::uint32_t word(std::uint64_t sample, std::uint64_t index) const {
    return block(sample, index / 4)[index % 4];
  }
  std::uint64_t key() const { return key_; }

 private:
  std::uint64_t key_ = 0;
};

// [0, 1) with 24 random bits.
inline float uniform_float(std::uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24f; }
// (0, 1) with 32 random bits; never 0, so its logarithm is finite.
inline double uniform_open(std::uint32_t word) {
  return (static_cast<double>(word) + 0.5) * 0x1p-32;
}
// Standard normal number `index` of a sample's sequence (Box-Muller on a pair of words).
double normal(const RandomStream& stream, std::uint64_t sample, std::uint64_t index);
// Numbers 2 * pair and 2 * pair + 1 of that sequence, at the cost of one.
std::array<double, 2> normal_pair(const RandomStream& stream, std::uint64_t sample,
                                  std::uint64_t pair);

// A keyed permutation of [0, n), evaluated point by point without a table: a balanced Feistel
// network on the next power of four, applied repeatedly until the result lies in the range. For
// n = 5 the network permutes [0, 16); if it takes 3 to 11 and 11 to 2, the result for 3 is 2.
class Permutation {
 public:
  Permutation(std::uint64_t n, RandomStream stream);
  // The original index of position i of the shuffled order; 0 <= i < n.
  std::uint64_t operator()(std::uint64_t i) const;

 private:
  std::uint64_t n_;
  int half_bits_;
  RandomStream stream_;
};

}  // namespace ty
