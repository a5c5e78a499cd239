#include "launch/generation.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/autograd/graph.h"
#include "core/base/error.h"

namespace ty {

std::int32_t sample_token(const std::vector<float>& logits, const SamplingOptions& options,
                          std::int64_t position) {
  const auto best = std::max_element(logits.begin(), logits.end());
  if (options.temperature <= 0.0) return static_cast<std::int32_t>(best - logits.begin());

  std::vector<std::int32_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  const auto logit = [&](std::int32_t id) { return logits[static_cast<std::size_t>(id)]; };
  std::sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
    return logit(a) != logit(b) ? logit(a) > logit(b) : a < b;
  });
  if (options.top_k > 0 && options.top_k < static_cast<std::int64_t>(order.size())) {
    order.resize(static_cast<std::size_t>(options.top_k));
  }
  std::vector<double> weights;
  for (std::int32_t id : order) {
    weights.push_back(std::exp(static_cast<double>(logit(id) - *best) / options.temperature));
  }
  double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  if (options.top_p < 1.0) {
    double kept = 0.0;
    std::size_t count = 0;
    while (count < weights.size() && kept < options.top_p * total) kept += weights[count++];
    weights.resize(std::max<std::size_t>(count, 1));
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

std::vector<std::int32_t> generate(const Model& model, Backend& backend, std::int64_t context,
                                   std::vector<std::int32_t> prompt, const SamplingOptions& options,
                                   std::optional<std::int32_t> end_of_text,
                                   const std::function<void(std::int32_t)>& on_token) {
  if (prompt.empty()) throw UsageError("generate: the prompt has no tokens; give at least one");
  const NoGrad no_grad;
  const std::size_t given = prompt.size();
  for (std::int64_t i = 0; i < options.max_tokens; ++i) {
    const auto length = std::min<std::int64_t>(context, static_cast<std::int64_t>(prompt.size()));
    const Tensor ids = Tensor::from<std::int32_t>(
        backend, {1, length}, std::span(prompt).last(static_cast<std::size_t>(length)));
    const Tensor logits = model.forward(ids, {}, Recompute::none);  // [1, T, V]
    const Tensor last = logits.alias(logits.view()[0].slice(0, length - 1, 1)).to(DType::f32);
    const std::int32_t next =
        sample_token(last.values<float>(), options, static_cast<std::int64_t>(prompt.size()));
    if (end_of_text && next == *end_of_text) break;
    prompt.push_back(next);
    if (on_token) on_token(next);
  }
  prompt.erase(prompt.begin(), prompt.begin() + static_cast<std::ptrdiff_t>(given));
  return prompt;
}

}  // namespace ty
