#include "core/base/random.h"

#include <Random123/philox.h>

#include <cmath>
#include <numbers>

#include "core/base/error.h"

namespace ty {

namespace {
// Finaliser of SplitMix64 (Steele, Lea, Flood 2014): a bijection with full avalanche.
std::uint64_t mix(std::uint64_t z) {
  z += 0x9e3779b97f4a7c15ull;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}
}  // namespace

std::uint64_t site_id(std::string_view path) {
  std::uint64_t hash = 0xcbf29ce484222325ull;
  for (char c : path) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
  return hash;
}

RandomStream::RandomStream(std::uint64_t seed, std::uint64_t site, std::uint64_t step)
    : key_(mix(mix(mix(seed) ^ site) ^ step)) {}

std::array<std::uint32_t, 4> RandomStream::block(std::uint64_t sample, std::uint64_t block) const {
  const r123::Philox4x32::ctr_type counter = {
      {static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32),
       static_cast<std::uint32_t>(sample), static_cast<std::uint32_t>(sample >> 32)}};
  const r123::Philox4x32::key_type key = {
      {static_cast<std::uint32_t>(key_), static_cast<std::uint32_t>(key_ >> 32)}};
  const auto words = r123::Philox4x32{}(counter, key);
  return {words[0], words[1], words[2], words[3]};
}

double normal(const RandomStream& stream, std::uint64_t sample, std::uint64_t index) {
  return normal_pair(stream, sample, index / 2)[index % 2];
}

std::array<double, 2> normal_pair(const RandomStream& stream, std::uint64_t sample,
                                  std::uint64_t pair) {
  const auto words = stream.block(sample, pair / 2);
  const std::size_t first = pair % 2 * 2;
  const double radius = std::sqrt(-2.0 * std::log(uniform_open(words[first])));
  const double angle = 2.0 * std::numbers::pi * uniform_open(words[first + 1]);
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

Permutation::Permutation(std::uint64_t n, RandomStream stream)
    : n_(n), half_bits_(1), stream_(stream) {
  TY_CHECK(n > 0, "permutation of an empty range");
  while (half_bits_ < 32 && (std::uint64_t{1} << (2 * half_bits_)) < n) ++half_bits_;
}

std::uint64_t Permutation::operator()(std::uint64_t i) const {
  const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
  do {
    std::uint64_t left = i >> half_bits_;
    std::uint64_t right = i & mask;
    for (std::uint64_t round = 0; round < 4; ++round) {
      const std::uint64_t next = left ^ (stream_.block(right, round)[0] & mask);
      left = right;
      right = next;
    }
    i = (left << half_bits_) | right;
  } while (i >= n_);
  return i;
}

}  // namespace ty
