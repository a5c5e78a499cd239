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

namespace {

class TrainingWindows final : public Source {
 public:
  TrainingWindows(const TokenFile& file, std::int64_t sequence, std::uint64_t seed)
      : file_(file), sequence_(sequence), sampler_(file.size(), sequence, seed) {}
  std::int64_t examples() const override { return sampler_.windows(); }
  HostBatch batch(std::span<const std::int64_t> samples) const override {
    std::vector<std::int32_t> ids, targets, window(static_cast<std::size_t>(sequence_ + 1));
    for (std::int64_t sample : samples) {
      file_.copy(sampler_.first_token(sample), window);
      ids.insert(ids.end(), window.begin(), window.end() - 1);
      targets.insert(targets.end(), window.begin() + 1, window.end());
    }
    return token_batch(samples.empty() ? 0 : samples[0], std::ssize(samples), std::move(ids),
                       std::move(targets));
  }

 private:
  const TokenFile& file_;
  std::int64_t sequence_;
  Sampler sampler_;
};

class EvaluationWindows final : public Source {
 public:
  EvaluationWindows(const TokenFile& file, std::int64_t sequence, std::int64_t stride)
      : file_(file), sequence_(sequence), stride_(stride) {}
  std::int64_t examples() const override {
    const std::int64_t after_first = std::max<std::int64_t>(0, file_.size() - 1 - sequence_);
    return 1 + (after_first + stride_ - 1) / stride_;
  }
  HostBatch batch(std::span<const std::int64_t> windows) const override {
    std::vector<std::int32_t> ids, targets;
    for (std::int64_t window : windows) {
      const std::int64_t first = window * stride_;
      const std::int64_t valid = std::min(sequence_, file_.size() - 1 - first);
      std::vector<std::int32_t> tokens(static_cast<std::size_t>(valid + 1));
      file_.copy(first, tokens);
      const auto missing = static_cast<std::size_t>(sequence_ - valid);
      ids.insert(ids.end(), tokens.begin(), tokens.end() - 1);
      ids.insert(ids.end(), missing, 0);
      const auto seen = window == 0 ? 0 : sequence_ - stride_;  // by the window before
      targets.insert(targets.end(), static_cast<std::size_t>(seen), -1);
      targets.insert(targets.end(), tokens.begin() + 1 + seen, tokens.end());
      targets.insert(targets.end(), missing, -1);
    }
    return token_batch(0, std::ssize(windows), std::move(ids), std::move(targets));
  }

 private:
  const TokenFile& file_;
  std::int64_t sequence_, stride_;
};

}  // namespace

std::unique_ptr<Source> training_windows(const TokenFile& file, std::int64_t sequence,
                                         std::uint64_t seed) {
  return std::make_unique<TrainingWindows>(file, sequence, seed);
}

std::unique_ptr<Source> evaluation_windows(const TokenFile& file, std::int64_t sequence,
                                           std::int64_t stride) {
  TY_CHECK(0 <= stride && stride <= sequence, "stride {} of windows of {}", stride, sequence);
  if (file.size() < 2) {
    throw DataError("{}: {} token has nothing to predict; want at least 2", file.path().string(),
                    file.size());
  }
  return std::make_unique<EvaluationWindows>(file, sequence, stride == 0 ? sequence : stride);
}

}  // namespace ty
