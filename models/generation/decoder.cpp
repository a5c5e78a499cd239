#include "models/generation/decoder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/autograd/graph.h"
#include "core/base/error.h"
#include "core/base/rounding.h"
#include "core/ops/embedding.h"
#include "core/ops/shape.h"
#include "models/transformer/pipeline_forward.h"

namespace ty {

namespace {

using Rows = std::vector<std::vector<float>>;  // [B][V]

std::int64_t longest_of(const std::vector<Ids>& sequences) {
  std::int64_t longest = 0;
  for (const Ids& ids : sequences) longest = std::max(longest, std::ssize(ids));
  return longest;
}

// Brings the last stage's values to all.
void tell_all(std::vector<float>& values, const Group& pipeline) {
  if (pipeline.size() == 1) return;
  const int last = pipeline.size() - 1;
  std::int64_t count = std::ssize(values);
  pipeline.broadcast(contiguous_view(&count, DType::i64, {1}), last).wait();
  values.resize(static_cast<std::size_t>(count));
  pipeline.broadcast(contiguous_view(values.data(), DType::f32, {count}), last).wait();
}

std::vector<std::int64_t> lengths_of(const std::vector<Ids>& sequences) {
  std::vector<std::int64_t> lengths;
  for (const Ids& ids : sequences) lengths.push_back(std::ssize(ids));
  return lengths;
}

// The last counts[b] ids of each sequence, padded on the right to what the model's ranks can share:
// [B, T].
Tensor last_ids(const Generator& generator, const std::vector<Ids>& sequences,
                std::span<const std::int64_t> counts) {
  const std::int64_t rows = std::ssize(sequences);
  std::int64_t length = *std::max_element(counts.begin(), counts.end());
  length = round_up(length, generator.model.row_multiple());
  std::vector<std::int32_t> ids(static_cast<std::size_t>(rows * length), 0);
  for (std::size_t b = 0; b < sequences.size(); ++b) {
    std::copy(sequences[b].end() - counts[b], sequences[b].end(),
              ids.begin() + static_cast<std::ptrdiff_t>(b) * length);
  }
  return Tensor::from<std::int32_t>(generator.backend, {rows, length}, ids);
}

}  // namespace

bool Decoder::fits() const { return longest_of(sequences_) <= generator_.context; }

Rows Decoder::start(std::vector<Ids> prompts) {
  for (const Ids& prompt : prompts) TY_CHECK(!prompt.empty(), "nothing to go on from");
  const std::size_t count = prompts.size();
  sequences_ = std::move(prompts);
  sources_.clear();
  if (const auto start = generator_.decoder_start) {
    sources_ = std::exchange(sequences_, std::vector<Ids>(count, {*start}));
  }
  cache_.reset();
  // Ranks with own rows of a batch cannot read one token at a time.
  if (!generator_.cached || generator_.model.row_multiple() > 1 || !fits()) return read_windows();
  // What the last token brings is not read any more.
  const std::int64_t longest = longest_of(sequences_);
  const std::int64_t capacity = std::min(generator_.context, longest + max_tokens_ - 1);
  cache_.emplace(std::ssize(sequences_), std::max(capacity, longest));
  return read_windows();
}

Rows Decoder::add(std::span<const std::int32_t> ids) {
  TY_CHECK(std::ssize(ids) == std::ssize(sequences_), "{} ids for {} sequences", ids.size(),
           sequences_.size());
  for (std::size_t b = 0; b < ids.size(); ++b) sequences_[b].push_back(ids[b]);
  if (cache_ && !fits()) cache_.reset();
  if (!cache_) return read_windows();
  return read(std::vector<std::int64_t>(ids.size(), 1));
}

void Decoder::keep(std::span<const std::int64_t> sequences) {
  for (std::vector<Ids>* all : {&sequences_, &sources_}) {
    if (all->empty()) continue;
    std::vector<Ids> kept;
    for (const std::int64_t i : sequences) kept.push_back((*all)[static_cast<std::size_t>(i)]);
    *all = std::move(kept);
  }
  if (cache_) cache_->keep(sequences);
}

Rows Decoder::read_windows() {
  const std::int64_t multiple = generator_.model.row_multiple();
  const std::int64_t context = generator_.context - generator_.context % multiple;
  std::vector<std::int64_t> counts;
  for (const Ids& ids : sequences_) counts.push_back(std::min(context, std::ssize(ids)));
  return read(counts);
}

Batch Decoder::batch_of(std::span<const std::int64_t> counts) const {
  Batch batch = {.sequences = std::ssize(sequences_)};
  const Tensor ids = last_ids(generator_, sequences_, counts);
  batch.columns[sources_.empty() ? Column::ids : Column::decoder_ids] = ids;
  if (sources_.empty() || (cache_ && cache_->longest() > 0)) return batch;
  const std::vector<std::int64_t> lengths = lengths_of(sources_);
  batch.lengths.assign(lengths.begin(), lengths.end());
  batch.columns[Column::ids] = last_ids(generator_, sources_, lengths);
  batch.columns[Column::lengths] =
      Tensor::from<std::int32_t>(generator_.backend, {batch.sequences}, batch.lengths);
  return batch;
}

Rows Decoder::read(std::span<const std::int64_t> counts) {
  const NoGrad no_grad;
  const Batch batch = batch_of(counts);
  if (cache_ && batch.has(Column::lengths)) cache_->set_source_lengths(batch.at(Column::lengths));
  const Group pipeline = generator_.pipeline.on(generator_.backend);
  const ForwardContext context = {.batch = batch, .cache = cache_ ? &*cache_ : nullptr};
  const Tensor hidden = forward_through(generator_.model, pipeline, context).hidden;
  if (cache_) cache_->advance(counts);
  return logits_of(hidden, counts);
}

Rows Decoder::logits_of(const Tensor& hidden, std::span<const std::int64_t> counts) const {
  std::vector<float> values;
  if (generator_.model.has_readout()) {
    const std::int64_t rows = std::ssize(counts);
    const Tensor all = reshape(hidden, {-1, hidden.dim(-1)});
    std::vector<std::int32_t> last;
    for (std::int64_t b = 0; b < rows; ++b) {
      const std::int64_t first = b * (all.dim(0) / rows);
      last.push_back(static_cast<std::int32_t>(first + counts[static_cast<std::size_t>(b)] - 1));
    }
    const Tensor ids = Tensor::from<std::int32_t>(generator_.backend, {rows}, last);
    const Readout& readout = generator_.model.readout();
    const Tensor logits = readout.logits(embedding(all, ids));
    values = all_logits(logits, readout.vocabulary()).to(DType::f32).values<float>();
  }
  tell_all(values, generator_.pipeline);
  Rows rows;
  const std::ptrdiff_t width = std::ssize(values) / std::ssize(counts);
  for (std::size_t b = 0; b < counts.size(); ++b) {
    const auto first = values.begin() + static_cast<std::ptrdiff_t>(b) * width;
    rows.emplace_back(first, first + width);
    if (!std::all_of(first, first + width, [](float x) { return std::isfinite(x); })) {
      throw NonFiniteError(
          "generate: the logits of token {} are not finite; a weight of the model is damaged or "
          "too large",
          sequences_[b].size());
    }
  }
  return rows;
}

}  // namespace ty
