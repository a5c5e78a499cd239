#include "core/data/tasks/example_source.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "core/base/error.h"
#include "core/data/epoch_order.h"

namespace ty {

namespace {

using Examples = std::vector<const TokenExample*>;

class ExampleSource final : public Source {
 public:
  ExampleSource(std::vector<TokenExample> examples, const ExampleOptions& options)
      : examples_(std::move(examples)), options_(options) {
    if (examples_.empty()) throw DataError("there are no examples; want at least one");
  }
  void shuffle(std::uint64_t seed) {
    std::vector<std::int64_t> lengths;
    for (const TokenExample& example : examples_) lengths.push_back(std::ssize(example.ids));
    order_.emplace(std::move(lengths), options_.batch, seed);
  }

  std::int64_t examples() const override { return std::ssize(examples_); }
  HostBatch batch(std::span<const std::int64_t> samples) const override;

 private:
  const TokenExample& at(std::int64_t sample) const {
    const std::int64_t example = order_ ? order_->example_of(sample) : sample;
    return examples_[static_cast<std::size_t>(example)];
  }
  // The longest of some ids that examples have, rounded up.
  template <typename IdsOf>
  std::int64_t padded_length(const Examples& examples, const IdsOf& ids_of) const {
    std::int64_t longest = 1;
    for (const TokenExample* each : examples)
      longest = std::max(longest, std::ssize(ids_of(*each)));
    longest = (longest + options_.multiple - 1) / options_.multiple * options_.multiple;
    return options_.longest > 0 ? std::min(longest, options_.longest) : longest;
  }
  // Those that are padded to the same length as these samples: of training, the whole step's.
  Examples together(std::span<const std::int64_t> samples) const;

  std::vector<TokenExample> examples_;
  ExampleOptions options_;
  std::optional<EpochOrder> order_;
};

// Rows of ids, each filled up to a length.
HostColumn padded(const Examples& rows, std::int64_t length, std::int32_t fill,
                  const std::vector<std::int32_t> TokenExample::*ids) {
  HostColumn column = {.row = {length}};
  for (const TokenExample* row : rows) {
    const auto& from = row->*ids;
    const auto count = std::min<std::ptrdiff_t>(std::ssize(from), length);
    column.ids.insert(column.ids.end(), from.begin(), from.begin() + count);
    column.ids.insert(column.ids.end(), static_cast<std::size_t>(length - count), fill);
  }
  return column;
}

// What a decoder reads: the targets one place later, after the id that begins.
HostColumn shifted(const HostColumn& targets, std::int32_t start, std::int32_t pad) {
  HostColumn column = targets;
  const std::int64_t length = targets.row[0];
  for (std::size_t i = 0; i < column.ids.size(); ++i) {
    const bool begins = i % static_cast<std::size_t>(length) == 0;
    const std::int32_t before = begins ? start : targets.ids[i - 1];
    column.ids[i] = before < 0 ? pad : before;
  }
  return column;
}

Examples ExampleSource::together(std::span<const std::int64_t> samples) const {
  Examples all;
  if (!order_) {
    for (const std::int64_t sample : samples) all.push_back(&at(sample));
    return all;
  }
  const std::int64_t first = samples[0] / options_.batch * options_.batch;
  for (std::int64_t i = 0; i < options_.batch; ++i) all.push_back(&at(first + i));
  return all;
}

HostBatch ExampleSource::batch(std::span<const std::int64_t> samples) const {
  HostBatch batch = {.first_sample = samples.empty() ? 0 : samples[0],
                     .sequences = std::ssize(samples)};
  if (samples.empty()) return batch;
  Examples rows;
  for (const std::int64_t sample : samples) rows.push_back(&at(sample));
  const Examples step = together(samples);
  const auto ids_of = [](const TokenExample& e) -> const auto& { return e.ids; };
  const std::int64_t length = padded_length(step, ids_of);
  batch.columns[Column::ids] = padded(rows, length, options_.pad, &TokenExample::ids);
  if (options_.types) {
    batch.columns[Column::types] = padded(rows, length, 0, &TokenExample::types);
  }
  HostColumn& lengths = batch.columns[Column::lengths];
  for (const TokenExample* row : rows) {
    lengths.ids.push_back(static_cast<std::int32_t>(std::min(std::ssize(row->ids), length)));
  }
  switch (options_.answer) {
    case AnswerKind::none:
      break;
    case AnswerKind::label:
      for (const TokenExample* row : rows) {
        batch.columns[Column::targets].ids.push_back(row->label);
      }
      break;
    case AnswerKind::value:
      batch.columns[Column::values].row = {1};
      for (const TokenExample* row : rows) {
        batch.columns[Column::values].numbers.push_back(static_cast<float>(row->value));
      }
      break;
    case AnswerKind::target: {
      const auto target_of = [](const TokenExample& e) -> const auto& { return e.target; };
      HostColumn targets = padded(rows, padded_length(step, target_of), -1, &TokenExample::target);
      batch.columns[Column::decoder_ids] = shifted(targets, options_.decoder_start, options_.pad);
      batch.columns[Column::targets] = std::move(targets);
      break;
    }
  }
  return batch;
}

}  // namespace

std::unique_ptr<Source> training_examples(std::vector<TokenExample> examples,
                                          const ExampleOptions& options, std::uint64_t seed) {
  auto source = std::make_unique<ExampleSource>(std::move(examples), options);
  source->shuffle(seed);
  return source;
}

std::unique_ptr<Source> evaluation_examples(std::vector<TokenExample> examples,
                                            const ExampleOptions& options) {
  return std::make_unique<ExampleSource>(std::move(examples), options);
}

}  // namespace ty
