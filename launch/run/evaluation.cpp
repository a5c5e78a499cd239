#include "launch/run/evaluation.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/autograd/graph.h"
#include "core/base/error.h"
#include "core/data/sampler.h"
#include "models/objective/chunked_loss.h"
#include "models/transformer/pipeline_forward.h"

namespace ty {

double Evaluation::perplexity() const { return std::exp(loss); }

namespace {

// Of all windows of a file.
std::int64_t windows_to_read(std::int64_t all, const EvaluationOptions& options) {
  if (options.most_tokens == 0) return all;
  return std::clamp<std::int64_t>(options.most_tokens / options.sequence, 1, all);
}

}  // namespace

std::int64_t largest_batch(const TokenFile& file, const EvaluationOptions& options) {
  const std::int64_t all = evaluation_windows(file, options.sequence)->examples();
  return std::min(options.batch, windows_to_read(all, options));
}

Evaluation evaluate(const Model& model, const Objective& objective, Backend& backend,
                    const TokenFile& file, const EvaluationOptions& options,
                    const EvaluationRanks& ranks) {
  const NoGrad no_grad;
  const Group& data = ranks.data;
  const Group pipeline = ranks.pipeline.on(backend);
  const auto windows = evaluation_windows(file, options.sequence);
  const std::int64_t all = windows->examples();
  const std::int64_t wanted = windows_to_read(all, options);
  std::vector<std::int64_t> own;
  for (std::int64_t i = data.rank(); i < wanted; i += data.size()) own.push_back(i * all / wanted);

  double sum = 0, tokens = 0;
  for (std::size_t first = 0; first < own.size();
       first += static_cast<std::size_t>(options.batch)) {
    const auto count = std::min(own.size() - first, static_cast<std::size_t>(options.batch));
    const HostBatch part = windows->batch(std::span(own).subspan(first, count));
    tokens += static_cast<double>(objective.targets(part));
    const Batch batch = upload(backend, part, 0, part.sequences);
    const Flow out = forward_through(model, pipeline, {.batch = batch});
    if (model.has_readout()) sum += total_loss(model, objective, out, batch).item();
  }
  sum = data.all_reduce(sum, ReduceOp::sum);
  sum = ranks.pipeline.all_reduce(sum, ReduceOp::sum);  // all but the last stage's are zero
  Evaluation result;
  result.tokens = data.all_reduce(tokens, ReduceOp::sum);
  result.loss = sum / std::max(result.tokens, 1.0);
  if (!std::isfinite(result.loss)) {
    throw NonFiniteError("{}: the model's loss is {}", file.path().string(), result.loss);
  }
  if (file.info().source_bytes > 0) {
    const double tokens_per_byte =
        static_cast<double>(file.size()) / static_cast<double>(file.info().source_bytes);
    result.bits_per_byte = result.loss / std::numbers::ln2 * tokens_per_byte;
  }
  return result;
}

}  // namespace ty
