#include "launch/run/evaluation.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/autograd/graph.h"
#include "core/base/error.h"
#include "core/data/sampler.h"
#include "core/ops/loss.h"
#include "core/ops/shape.h"
#include "launch/run/training_step.h"

namespace ty {

double Evaluation::perplexity() const { return std::exp(loss); }

Evaluation evaluate(const Model& model, Backend& backend, const TokenFile& file,
                    const EvaluationOptions& options, const Group& data) {
  const NoGrad no_grad;
  const std::int64_t all = evaluation_windows(file, options.sequence);
  const std::int64_t wanted =
      options.most_tokens == 0
          ? all
          : std::clamp<std::int64_t>(options.most_tokens / options.sequence, 1, all);
  std::vector<std::int64_t> own;
  for (std::int64_t i = data.rank(); i < wanted; i += data.size()) own.push_back(i * all / wanted);

  double sum = 0, tokens = 0;
  for (std::size_t first = 0; first < own.size();
       first += static_cast<std::size_t>(options.batch)) {
    const auto count = std::min(own.size() - first, static_cast<std::size_t>(options.batch));
    TokenBatch part =
        evaluation_batch(file, options.sequence, std::span(own).subspan(first, count));
    tokens += static_cast<double>(
        std::count_if(part.targets.begin(), part.targets.end(), [](auto t) { return t >= 0; }));
    const HostBatch batch{.first_sample = 0,
                          .sequences = static_cast<std::int64_t>(count),
                          .length = options.sequence,
                          .inputs = std::move(part.inputs),
                          .targets = std::move(part.targets)};
    const DeviceBatch device = upload(backend, batch, 0, batch.sequences);
    const Tensor logits = model.forward(device.inputs, {}, Recompute::none);
    sum += cross_entropy(reshape(logits, {-1, logits.dim(-1)}), device.targets).item();
  }
  sum = data.all_reduce(sum, ReduceOp::sum);
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
