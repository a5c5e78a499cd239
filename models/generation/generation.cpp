#include "models/generation/generation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/autograd/graph.h"
#include "core/base/error.h"
#include "core/ops/shape.h"
#include "models/transformer/pipeline_forward.h"

namespace ty {

namespace {
constexpr float kNever = -std::numeric_limits<float>::infinity();  // of an id that is not drawn
}

std::int32_t sample_token(const std::vector<float>& logits, const SamplingOptions& options,
                          std::int64_t position) {
  const auto best = std::max_element(logits.begin(), logits.end());
  if (options.temperature <= 0.0) return static_cast<std::int32_t>(best - logits.begin());

  std::vector<std::int32_t> order;
  for (std::size_t id = 0; id < logits.size(); ++id) {
    if (logits[id] != kNever) order.push_back(static_cast<std::int32_t>(id));
  }
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

namespace {

// Brings the last stage's values to all.
void tell_all(std::vector<float>& values, const Group& pipeline) {
  if (pipeline.size() == 1) return;
  const int last = pipeline.size() - 1;
  std::int64_t count = std::ssize(values);
  pipeline.broadcast(contiguous_view(&count, DType::i64, {1}), last).wait();
  values.resize(static_cast<std::size_t>(count));
  pipeline.broadcast(contiguous_view(values.data(), DType::f32, {count}), last).wait();
}

// Logits [V] of what follows the ids.
std::vector<float> next_logits(const Model& model, Backend& backend,
                               std::span<const std::int32_t> ids, const Group& pipeline) {
  const std::int64_t length = std::ssize(ids);
  std::vector<std::int32_t> padded(ids.begin(), ids.end());  // what comes later is not seen
  while (std::ssize(padded) % model.row_multiple() != 0) padded.push_back(0);
  const Batch batch = {.sequences = 1,
                       .columns = {{Column::ids, Tensor::from<std::int32_t>(
                                                     backend, {1, std::ssize(padded)}, padded)}}};
  const Tensor hidden = forward_through(model, pipeline.on(backend), {.batch = batch}).hidden;
  std::vector<float> values;
  if (model.has_readout()) {
    const Tensor rows = reshape(hidden, {-1, hidden.dim(-1)});
    const Readout& readout = model.readout();
    const Tensor last = readout.logits(narrow(rows, 0, length - 1, 1));
    values = all_logits(last, readout.vocabulary()).to(DType::f32).values<float>();
  }
  tell_all(values, pipeline);
  if (!std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); })) {
    throw NonFiniteError(
        "generate: the logits of token {} are not finite; a weight of the model is "
        "damaged or too large",
        length);
  }
  return values;
}

// A model's table of tokens is often padded beyond its tokenizer's.
std::vector<float> with_text_only(std::vector<float> logits, const Tokenizer& tokenizer) {
  for (std::size_t id = 0; id < logits.size(); ++id) {
    if (!tokenizer.has_text(static_cast<std::int32_t>(id))) {
      logits[id] = kNever;
    }
  }
  return logits;
}

}  // namespace

std::vector<std::int32_t> generate(const Model& model, Backend& backend, std::int64_t context,
                                   std::vector<std::int32_t> prompt, const SamplingOptions& options,
                                   const Tokenizer& tokenizer,
                                   const std::function<void(std::int32_t)>& on_token,
                                   const Group& pipeline) {
  TY_CHECK(!prompt.empty(), "nothing to go on from");
  const NoGrad no_grad;
  const std::size_t given = prompt.size();
  context -= context % model.row_multiple();
  for (std::int64_t i = 0; i < options.max_tokens; ++i) {
    const auto length = std::min<std::int64_t>(context, static_cast<std::int64_t>(prompt.size()));
    const std::vector<float> logits = next_logits(
        model, backend, std::span(prompt).last(static_cast<std::size_t>(length)), pipeline);
    const std::int32_t next = sample_token(with_text_only(logits, tokenizer), options,
                                           static_cast<std::int64_t>(prompt.size()));
    if (next == tokenizer.end_of_text()) break;
    prompt.push_back(next);
    if (on_token) on_token(next);
  }
  prompt.erase(prompt.begin(), prompt.begin() + static_cast<std::ptrdiff_t>(given));
  return prompt;
}

}  // namespace ty
