#include "core/data/masking.h"

#include <algorithm>
#include <utility>

#include "core/base/random.h"

namespace ty {

namespace {

class MaskedSource final : public Source {
 public:
  MaskedSource(std::unique_ptr<Source> source, const MaskingOptions& options)
      : source_(std::move(source)),
        options_(options),
        stream_(options.seed, site_id("data.masks")) {}

  std::int64_t examples() const override { return source_->examples(); }

  HostBatch batch(std::span<const std::int64_t> samples) const override {
    HostBatch batch = source_->batch(samples);
    HostColumn& ids = batch.columns.at(Column::ids);
    const std::int64_t length = ids.row[0];
    HostColumn targets = {.row = ids.row, .ids = std::vector<std::int32_t>(ids.ids.size(), -1)};
    if (!batch.has(Column::lengths)) {
      batch.columns[Column::lengths].ids.assign(samples.size(), static_cast<std::int32_t>(length));
    }
    if (options_.types) {
      batch.columns[Column::types] = {.row = ids.row,
                                      .ids = std::vector<std::int32_t>(ids.ids.size(), 0)};
    }
    for (std::size_t s = 0; s < samples.size(); ++s) {
      const auto first = s * static_cast<std::size_t>(length);
      const auto valid = static_cast<std::size_t>(batch.at(Column::lengths).ids[s]);
      mask(static_cast<std::uint64_t>(samples[s]), std::span(ids.ids).subspan(first, valid),
           std::span(targets.ids).subspan(first, valid));
    }
    batch.columns[Column::targets] = std::move(targets);
    return batch;
  }

 private:
  static bool holds(const std::vector<bool>& flags, std::int32_t id) {
    return static_cast<std::size_t>(id) < flags.size() && flags[static_cast<std::size_t>(id)];
  }

  // Word 4 t + k of a sample decides about token t: 0 whether it is chosen, 1 what it becomes, 2
  // by which id.
  void mask(std::uint64_t sample, std::span<std::int32_t> ids,
            std::span<std::int32_t> targets) const {
    bool is_chosen = false;
    for (std::size_t t = 0; t < ids.size(); ++t) {
      const std::int32_t id = ids[t];
      const auto words = stream_.block(sample, t);
      const bool begins = t == 0 || !holds(options_.continues, id);
      if (begins) is_chosen = uniform_open(words[0]) < options_.rate;
      if (!is_chosen || holds(options_.special, id)) continue;
      targets[t] = id;
      const double u = uniform_open(words[1]);
      if (u < options_.masked) {
        ids[t] = options_.mask;
      } else if (u < options_.masked + options_.random) {
        ids[t] = static_cast<std::int32_t>(words[2] % static_cast<std::uint64_t>(options_.vocab));
      }
    }
  }

  std::unique_ptr<Source> source_;
  MaskingOptions options_;
  RandomStream stream_;
};

}  // namespace

std::unique_ptr<Source> masked_source(std::unique_ptr<Source> source,
                                      const MaskingOptions& options) {
  return std::make_unique<MaskedSource>(std::move(source), options);
}

}  // namespace ty
