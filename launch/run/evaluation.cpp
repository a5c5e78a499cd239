#include "launch/run/evaluation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "core/autograd/graph.h"
#include "core/base/error.h"
#include "core/data/sampler.h"
#include "models/objective/chunked_loss.h"
#include "models/transformer/pipeline_forward.h"

namespace ty {

double Evaluation::perplexity() const { return std::exp(loss); }

double Evaluation::score(std::string_view name) const {
  const auto found = std::find_if(scores.begin(), scores.end(),
                                  [&](const Score& score) { return score.name == name; });
  return found == scores.end() ? std::numeric_limits<double>::quiet_NaN() : found->value;
}

std::vector<std::int32_t> Answers::labels() const {
  std::vector<std::int32_t> labels;
  for (std::size_t i = 0; i < examples(); ++i) {
    const auto first = given.begin() + static_cast<std::ptrdiff_t>(i) * width;
    labels.push_back(static_cast<std::int32_t>(std::max_element(first, first + width) - first));
  }
  return labels;
}

namespace {

// Of all examples.
std::int64_t examples_to_read(std::int64_t all, const EvaluationOptions& options) {
  if (options.most_tokens == 0) return all;
  return std::clamp<std::int64_t>(options.most_tokens / options.sequence, 1, all);
}

// Answers of all ranks: each fills in its own, the others' are zero until they are added up.
class AnswerSheet {
 public:
  explicit AnswerSheet(std::size_t examples) : expected_(examples) {}

  // Of examples places[first, first + count).
  void expect(const HostBatch& batch, std::span<const std::size_t> places) {
    const bool are_values = batch.has(Column::values);
    for (std::size_t i = 0; i < places.size(); ++i) {
      expected_[places[i]] = are_values ? static_cast<double>(batch.at(Column::values).numbers[i])
                                        : static_cast<double>(batch.at(Column::targets).ids[i]);
    }
  }
  // results [count, width].
  void fill(const Tensor& results, std::span<const std::size_t> places) {
    const auto width = static_cast<std::size_t>(results.dim(-1));
    const std::vector<float> values = results.to(DType::f32).values<float>();
    given_.resize(expected_.size() * width);
    for (std::size_t i = 0; i < places.size(); ++i) {
      std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(i * width), width,
                  given_.begin() + static_cast<std::ptrdiff_t>(places[i] * width));
    }
  }
  Answers collect(const EvaluationRanks& ranks) {
    const auto count = static_cast<std::int64_t>(given_.size());
    const auto most = static_cast<std::int64_t>(ranks.pipeline.all_reduce(
        ranks.data.all_reduce(static_cast<double>(count), ReduceOp::max), ReduceOp::max));
    given_.resize(static_cast<std::size_t>(most));
    const View given = contiguous_view(given_.data(), DType::f32, {most});
    ranks.data.all_reduce(given, ReduceOp::sum).wait();
    ranks.pipeline.all_reduce(given, ReduceOp::sum).wait();  // all but the last stage's are zero
    const View expected = contiguous_view(expected_.data(), DType::f64, {std::ssize(expected_)});
    ranks.data.all_reduce(expected, ReduceOp::sum).wait();
    const std::int64_t examples = std::max<std::int64_t>(1, std::ssize(expected_));
    return {most / examples, std::move(given_), std::move(expected_)};
  }

 private:
  std::vector<float> given_;
  std::vector<double> expected_;
};

}  // namespace

std::int64_t largest_batch(const TokenFile& file, const EvaluationOptions& options) {
  const std::int64_t all = evaluation_windows(file, options.sequence, options.stride)->examples();
  return std::min(options.batch, examples_to_read(all, options));
}

double tokens_per_byte(const TokenFile& file) {
  const std::int64_t bytes = file.info().source_bytes;
  return bytes > 0 ? static_cast<double>(file.size()) / static_cast<double>(bytes) : 0.0;
}

Evaluation evaluate(const Model& model, const Objective& objective, Backend& backend,
                    const EvaluationSet& set, const EvaluationOptions& options,
                    const EvaluationRanks& ranks) {
  const NoGrad no_grad;
  const Group& data = ranks.data;
  const Group pipeline = ranks.pipeline.on(backend);
  const std::int64_t all = set.source.examples();
  const std::int64_t wanted = examples_to_read(all, options);
  std::vector<std::int64_t> own;
  std::vector<std::size_t> places;  // of them among those that are wanted
  for (std::int64_t i = data.rank(); i < wanted; i += data.size()) {
    own.push_back(i * all / wanted);
    places.push_back(static_cast<std::size_t>(i));
  }

  double sum = 0, tokens = 0;
  AnswerSheet sheet(options.keep_answers ? static_cast<std::size_t>(wanted) : 0);
  for (std::size_t first = 0; first < own.size();
       first += static_cast<std::size_t>(options.batch)) {
    const auto count = std::min(own.size() - first, static_cast<std::size_t>(options.batch));
    const HostBatch part = set.source.batch(std::span(own).subspan(first, count));
    const auto their_places = std::span(places).subspan(first, count);
    tokens += static_cast<double>(objective.targets(part));
    if (options.keep_answers) sheet.expect(part, their_places);
    const Batch batch = upload(backend, part, 0, part.sequences);
    const Flow out = forward_through(model, pipeline, {.batch = batch});
    if (!model.has_readout()) continue;
    sum += total_loss(model, objective, out, batch).item();
    if (options.keep_answers) sheet.fill(model.readout().logits(out.hidden), their_places);
  }
  sum = data.all_reduce(sum, ReduceOp::sum);
  sum = ranks.pipeline.all_reduce(sum, ReduceOp::sum);  // all but the last stage's are zero
  Evaluation result;
  result.tokens = data.all_reduce(tokens, ReduceOp::sum);
  result.loss = sum / std::max(result.tokens, 1.0);
  if (!std::isfinite(result.loss)) {
    throw NonFiniteError("{}: the model's loss is {}", set.name, result.loss);
  }
  result.bits_per_byte = result.loss / std::numbers::ln2 * set.tokens_per_byte;
  if (options.keep_answers) result.answers = sheet.collect(ranks);
  return result;
}

Evaluation evaluate(const Model& model, const Objective& objective, Backend& backend,
                    const TokenFile& file, const EvaluationOptions& options,
                    const EvaluationRanks& ranks) {
  const auto windows = evaluation_windows(file, options.sequence, options.stride);
  return evaluate(model, objective, backend,
                  {*windows, file.path().string(), tokens_per_byte(file)}, options, ranks);
}

}  // namespace ty
