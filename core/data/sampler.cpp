#include "core/data/sampler.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/random.h"

namespace ty {

Sampler::Sampler(std::int64_t tokens, std::int64_t sequence, std::uint64_t seed)
    : sequence_(sequence), seed_(seed) {
  if (tokens < sequence + 1) {
    throw DataError("the training data has {} tokens; data.sequence: {} wants at least {}", tokens,
                    sequence, sequence + 1);
  }
  // Windows share their border token: the last target of one is the first input of the next.
  slack_ = std::min(sequence - 1, tokens - 1 - sequence);
  windows_ = (tokens - 1 - slack_) / sequence;
}

std::int64_t Sampler::first_token(std::int64_t index) const {
  const std::int64_t epoch = index / windows_;
  const RandomStream stream(seed_, site_id("data.order"), static_cast<std::uint64_t>(epoch));
  const auto offset =
      static_cast<std::int64_t>(stream.word(1, 0) % static_cast<std::uint32_t>(slack_ + 1));
  const Permutation order(static_cast<std::uint64_t>(windows_), stream);
  const auto window =
      static_cast<std::int64_t>(order(static_cast<std::uint64_t>(index % windows_)));
  return offset + window * sequence_;
}

TokenBatch training_batch(const TokenFile& file, const Sampler& sampler, std::int64_t sequence,
                          std::int64_t first, std::int64_t count) {
  TokenBatch batch;
  std::vector<std::int32_t> window(static_cast<std::size_t>(sequence + 1));
  for (std::int64_t i = 0; i < count; ++i) {
    file.copy(sampler.first_token(first + i), window);
    batch.inputs.insert(batch.inputs.end(), window.begin(), window.end() - 1);
    batch.targets.insert(batch.targets.end(), window.begin() + 1, window.end());
  }
  return batch;
}

std::int64_t evaluation_windows(const TokenFile& file, std::int64_t sequence) {
  if (file.size() < 2) {
    throw DataError("{}: {} token has nothing to predict; want at least 2", file.path().string(),
                    file.size());
  }
  return (file.size() - 1 + sequence - 1) / sequence;
}

TokenBatch evaluation_batch(const TokenFile& file, std::int64_t sequence,
                            std::span<const std::int64_t> windows) {
  TokenBatch batch;
  for (std::int64_t window : windows) {
    const std::int64_t first = window * sequence;
    const std::int64_t valid = std::min(sequence, file.size() - 1 - first);
    std::vector<std::int32_t> ids(static_cast<std::size_t>(valid + 1));
    file.copy(first, ids);
    const auto missing = static_cast<std::size_t>(sequence - valid);
    batch.inputs.insert(batch.inputs.end(), ids.begin(), ids.end() - 1);
    batch.inputs.insert(batch.inputs.end(), missing, 0);
    batch.targets.insert(batch.targets.end(), ids.begin() + 1, ids.end());
    batch.targets.insert(batch.targets.end(), missing, -1);
  }
  return batch;
}

}  // namespace ty
