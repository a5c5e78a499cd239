#include "models/generation/sampling.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace ty {

namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();  // of an id that is not drawn

float& logit_of(std::vector<float>& logits, std::int32_t id) {
  return logits[static_cast<std::size_t>(id)];
}

// Rules out what would make the last `size` ids a run that has occurred.
void rule_out_repeats(std::vector<float>& logits, std::span<const std::int32_t> ids,
                      std::int64_t size) {
  const auto before = static_cast<std::size_t>(size - 1);
  if (ids.size() < before + 1) return;
  const auto last = ids.last(before);
  for (std::size_t i = 0; i + before < ids.size(); ++i) {
    if (std::equal(last.begin(), last.end(), ids.begin() + static_cast<std::ptrdiff_t>(i))) {
      logit_of(logits, ids[i + before]) = kNever;
    }
  }
}

void make_less_likely(std::vector<float>& logits, std::span<const std::int32_t> ids,
                      double penalty) {
  std::vector<std::int32_t> once(ids.begin(), ids.end());
  std::sort(once.begin(), once.end());
  once.erase(std::unique(once.begin(), once.end()), once.end());
  const auto factor = static_cast<float>(penalty);
  for (const std::int32_t id : once) {
    float& logit = logit_of(logits, id);
    logit = logit < 0 ? logit * factor : logit / factor;
  }
}

}  // namespace

TextIds text_ids(const Tokenizer& tokenizer) {
  TextIds ids = {.end = tokenizer.end_of_text(), .size = tokenizer.vocab_size()};
  for (std::int64_t i = 0; i < ids.size; ++i) {
    const auto id = static_cast<std::int32_t>(i);
    if (!tokenizer.has_text(id)) ids.none.push_back(id);
  }
  return ids;
}

void apply_rules(std::vector<float>& logits, std::span<const std::int32_t> ids, const TextIds& text,
                 const RepetitionRules& rules) {
  if (rules.penalty != 1.0) make_less_likely(logits, ids, rules.penalty);
  if (rules.no_repeat_ngram > 0) rule_out_repeats(logits, ids, rules.no_repeat_ngram);
  for (const std::int32_t id : text.none) logit_of(logits, id) = kNever;
  const auto beyond = std::min(text.size, std::ssize(logits));
  std::fill(logits.begin() + beyond, logits.end(), kNever);
}

void apply_forced(std::vector<float>& logits, std::int64_t made, std::int64_t most,
                  const TextIds& text) {
  const bool is_last = made + 1 == most && text.forced_last;
  if (!is_last && (made > 0 || !text.forced_first)) return;
  std::fill(logits.begin(), logits.end(), kNever);
  logit_of(logits, is_last ? *text.forced_last : *text.forced_first) = 0;
}

std::optional<std::int32_t> sample_token(const std::vector<float>& logits,
                                         const SamplingOptions& options, std::int64_t position) {
  const auto best = std::max_element(logits.begin(), logits.end());
  if (*best == kNever) return std::nullopt;
  if (options.temperature <= 0.0) return static_cast<std::int32_t>(best - logits.begin());

  std::vector<std::int32_t> order;
  for (std::size_t id = 0; id < logits.size(); ++id) {
    if (logits[id] != kNever) order.push_back(static_cast<std::int32_t>(id));
  }
  const auto logit = [&](std::int32_t id) { return logits[static_cast<std::size_t>(id)]; };
  const std::int64_t all = std::ssize(order);
  const std::int64_t count = options.top_k > 0 ? std::min(options.top_k, all) : all;
  std::partial_sort(order.begin(), order.begin() + count, order.end(),
                    [&](std::int32_t a, std::int32_t b) {
                      return logit(a) != logit(b) ? logit(a) > logit(b) : a < b;
                    });
  order.resize(static_cast<std::size_t>(count));
  std::vector<double> weights;
  for (std::int32_t id : order) {
    weights.push_back(std::exp(static_cast<double>(logit(id) - *best) / options.temperature));
  }
  double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  if (options.top_p < 1.0) {
    double kept = 0.0;
    std::size_t few = 0;
    while (few < weights.size() && kept < options.top_p * total) kept += weights[few++];
    weights.resize(std::max<std::size_t>(few, 1));
    total = std::max(kept, weights[0]);
  }
  const RandomStream stream(options.seed, site_id("generate"));
  double u = uniform_open(stream.word(0, static_cast<std::uint64_t>(position))) * total;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    u -= weights[i];
    if (u <= 0.0) return order[i];
  }
  return order[weights.size() - 1];
}

}  // namespace ty
