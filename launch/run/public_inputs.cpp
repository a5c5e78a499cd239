#include "launch/run/public_inputs.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "launch/run/argument_file.h"

namespace ty {

namespace {

using Integers = ArgumentTensor<std::int64_t>;
constexpr std::int64_t kNone = -100;  // the library's label that does not count
constexpr const char* kIds = "input_ids";
constexpr const char* kMask = "attention_mask";
constexpr const char* kTypes = "token_type_ids";
constexpr const char* kWritten = "decoder_input_ids";
constexpr const char* kPixels = "pixel_values";
constexpr const char* kLabels = "labels";

HostColumn column_of(const Integers& tensor) {
  HostColumn column;
  for (int dim = 1; dim < tensor.shape.rank(); ++dim) column.row.push_back(tensor.shape[dim]);
  column.ids.assign(tensor.values.begin(), tensor.values.end());
  return column;
}

class Translation {
 public:
  Translation(const Path& file, const ModelSpec& spec)
      : spec_(spec),
        file_(file, {kIds, kMask, kTypes, kWritten, kPixels, kLabels}),
        keys_(spec.public_keys.empty() ? nlohmann::json::object()
                                       : nlohmann::json::parse(spec.public_keys)) {}

  PublicInputs operator()() {
    if (spec_.reads_images()) {
      add_patches();
    } else {
      add_texts();
    }
    if (file_.has(kLabels)) add_labels();
    return {std::move(batch_), file_.has(kLabels)};
  }

 private:
  // A special token of config.json, if it has one.
  std::optional<std::int64_t> special(const char* key) const {
    const auto found = keys_.find(key);
    if (found == keys_.end() || !found->is_number_integer()) return std::nullopt;
    return found->get<std::int64_t>();
  }

  void check_range(const char* name, const Integers& tensor, std::int64_t limit,
                   bool may_be_none = false) const {
    for (std::int64_t value : tensor.values) {
      if ((0 <= value && value < limit) || (may_be_none && value == kNone)) continue;
      file_.refuse(name, fmt::format("{} is outside of [0, {})", value, limit));
    }
  }

  // Ids [B, T] of no more tokens than the context.
  Integers texts(const char* name, std::int64_t limit, bool may_be_none = false) const {
    Integers tensor = file_.integers(name);
    const Shape& shape = tensor.shape;
    const bool fits = shape.rank() == 2 && shape[0] > 0 && shape[1] > 0 &&
                      shape[1] <= spec_.context &&
                      (batch_.sequences == 0 || shape[0] == batch_.sequences);
    if (!fits) {
      file_.refuse(name, fmt::format("{}; want [B, T], T at most {}", shape.str(), spec_.context));
    }
    check_range(name, tensor, limit, may_be_none);
    return tensor;
  }

  // The same of every token of input_ids.
  Integers beside_ids(const char* name, std::int64_t limit) const {
    Integers tensor = texts(name, limit);
    if (tensor.shape != ids_.shape) {
      file_.refuse(name,
                   fmt::format("{}; want {} as input_ids", tensor.shape.str(), ids_.shape.str()));
    }
    return tensor;
  }

  void add_texts() {
    ids_ = texts(kIds, spec_.vocab);
    batch_.sequences = ids_.shape[0];
    batch_.columns[Column::ids] = column_of(ids_);
    if (spec_.types > 0) {
      Integers types = {ids_.shape, std::vector<std::int64_t>(ids_.values.size(), 0)};
      if (file_.has(kTypes)) types = beside_ids(kTypes, spec_.types);
      batch_.columns[Column::types] = column_of(types);
    } else if (file_.has(kTypes)) {
      file_.refuse(kTypes, "this model has no types of tokens");
    }
    add_lengths();
    if (spec_.has_encoder()) add_written();
  }

  // Of each sequence the number of tokens before the padding, by the mask.
  std::vector<std::int32_t> masked_lengths() const {
    const std::int64_t length = ids_.shape[1];
    std::vector<std::int32_t> lengths(static_cast<std::size_t>(ids_.shape[0]),
                                      static_cast<std::int32_t>(length));
    if (!file_.has(kMask)) return lengths;
    const Integers mask = beside_ids(kMask, 2);
    for (std::size_t b = 0; b < lengths.size(); ++b) {
      const auto row = mask.values.begin() + static_cast<std::int64_t>(b) * length;
      const auto end = std::find(row, row + length, 0);
      if (end == row || std::find(end, row + length, 1) != row + length) {
        file_.refuse(kMask, fmt::format("row {} is not ones and then zeros; want padding at the "
                                        "end",
                                        b));
      }
      lengths[b] = static_cast<std::int32_t>(end - row);
    }
    return lengths;
  }

  // The class pools the last token that is no padding by its id, whatever the mask says.
  std::int32_t pooled_length(std::size_t b, std::int32_t masked) const {
    const std::int64_t length = ids_.shape[1];
    const auto row = ids_.values.begin() + static_cast<std::int64_t>(b) * length;
    const auto of_key = [&](const char* key, bool same) -> std::int32_t {
      const auto id = special(key);
      if (!id) return static_cast<std::int32_t>(length);
      for (std::int64_t t = length; t > 0; --t) {
        if ((row[t - 1] == *id) == same) return static_cast<std::int32_t>(t);
      }
      return 0;
    };
    if (!spec_.has_encoder()) {
      const std::int32_t last = of_key("pad_token_id", false);
      if (last > 0 && last <= masked) return last;
      file_.refuse(kMask, fmt::format("row {} ends after {} tokens, but the last one that is not "
                                      "pad_token_id is number {}",
                                      b, masked, last));
    }
    const std::int32_t last = of_key("eos_token_id", true);
    if (last == masked) return last;
    file_.refuse(kIds, fmt::format("row {} has {} tokens and eos_token_id last at number {}; want "
                                   "it at their end",
                                   b, masked, last));
  }

  void add_lengths() {
    std::vector<std::int32_t> lengths = masked_lengths();  // checked in any case
    if (!spec_.reads_lengths()) return;
    if (spec_.head.is_pooled() && spec_.head.pooling == Pooling::last) {
      for (std::size_t b = 0; b < lengths.size(); ++b) lengths[b] = pooled_length(b, lengths[b]);
    }
    batch_.columns[Column::lengths] = {.row = {}, .ids = std::move(lengths)};
  }

  bool is_language() const { return spec_.head.kind == HeadSpec::Kind::language; }

  // One to the right, with the start in front; padding where nothing is to be written.
  Integers shifted_right(Integers tensor) const {
    const auto start = special("decoder_start_token_id"), padding = special("pad_token_id");
    if (!start || !padding) {
      file_.refuse(kWritten,
                   "missing, and config.json has no decoder_start_token_id or "
                   "pad_token_id to make it with");
    }
    const std::int64_t length = tensor.shape[1];
    for (std::int64_t b = 0; b < tensor.shape[0]; ++b) {
      const auto row = tensor.values.begin() + b * length;
      std::rotate(row, row + length - 1, row + length);
      *row = *start;
      std::replace(row, row + length, kNone, *padding);
    }
    check_range(kWritten, tensor, spec_.vocab);
    return tensor;
  }

  void add_written() {
    Integers written;
    if (file_.has(kWritten)) {
      written = texts(kWritten, spec_.vocab);
    } else if (is_language() && file_.has(kLabels)) {
      written = shifted_right(texts(kLabels, spec_.vocab, true));
    } else {
      written = shifted_right(ids_);
    }
    if (spec_.head.is_pooled() && written.shape != ids_.shape) {
      file_.refuse(kWritten,
                   fmt::format("{}; want {} as input_ids", written.shape.str(), ids_.shape.str()));
    }
    batch_.columns[Column::decoder_ids] = column_of(written);
  }

  // Channels slowest, then rows and columns of the patch; zeros for the class token first.
  void add_patches() {
    const ArgumentTensor<float> pixels = file_.numbers(kPixels);
    const auto [channels, size, patch] = spec_.image;
    const Shape& shape = pixels.shape;
    if (shape.rank() != 4 || shape[0] < 1 || shape[1] != channels || shape[2] != size ||
        shape[3] != size) {
      file_.refuse(kPixels,
                   fmt::format("{}; want [B, {}, {}, {}]", shape.str(), channels, size, size));
    }
    batch_.sequences = shape[0];
    HostColumn column = {.row = {spec_.image_tokens(), spec_.image.patch_numbers()}};
    const std::int64_t side = size / patch;
    for (std::int64_t b = 0; b < shape[0]; ++b) {
      column.numbers.resize(column.numbers.size() +
                            static_cast<std::size_t>(spec_.image.patch_numbers()));
      for (std::int64_t at = 0; at < side * side; ++at) {
        for (std::int64_t c = 0; c < channels; ++c) {
          for (std::int64_t y = 0; y < patch; ++y) {
            const std::int64_t line = (b * channels + c) * size + at / side * patch + y;
            const auto first = pixels.values.begin() + line * size + at % side * patch;
            column.numbers.insert(column.numbers.end(), first, first + patch);
          }
        }
      }
    }
    batch_.columns[Column::patches] = std::move(column);
  }

  void add_values() {
    ArgumentTensor<float> values = file_.numbers(kLabels);
    if (values.shape.rank() == 0 || values.shape.numel() != batch_.sequences * spec_.head.labels ||
        values.shape[0] != batch_.sequences) {
      file_.refuse(kLabels, fmt::format("{}; want [{}, {}]", values.shape.str(), batch_.sequences,
                                        spec_.head.labels));
    }
    batch_.columns[Column::values] = {.row = {spec_.head.labels},
                                      .numbers = std::move(values.values)};
  }

  void add_labels() {
    if (spec_.head.kind == HeadSpec::Kind::none) {
      file_.refuse(kLabels, "this model has no head");
    }
    if (spec_.head.kind == HeadSpec::Kind::values) return add_values();
    Integers labels = file_.integers(kLabels);
    Shape want = {batch_.sequences};
    if (is_language()) {
      const HostColumn& read = batch_.at(spec_.has_encoder() ? Column::decoder_ids : Column::ids);
      want.push_back(read.row[0]);
    }
    if (labels.shape != want) {
      file_.refuse(kLabels, fmt::format("{}; want {}", labels.shape.str(), want.str()));
    }
    check_range(kLabels, labels, is_language() ? spec_.vocab : spec_.head.labels, true);
    if (is_language() && spec_.causal && !spec_.has_encoder()) {
      const std::int64_t length = want[1];
      for (std::int64_t b = 0; b < want[0]; ++b) {
        const auto row = labels.values.begin() + b * length;
        std::rotate(row, row + 1, row + length);
        row[length - 1] = kNone;
      }
    }
    if (std::all_of(labels.values.begin(), labels.values.end(),
                    [](std::int64_t label) { return label == kNone; })) {
      file_.refuse(kLabels, "none of them counts; want one that is not -100");
    }
    std::replace(labels.values.begin(), labels.values.end(), kNone, std::int64_t{-1});
    batch_.columns[Column::targets] = column_of(labels);
  }

  const ModelSpec& spec_;
  ArgumentFile file_;
  nlohmann::json keys_;
  Integers ids_;
  HostBatch batch_;
};

}  // namespace

PublicInputs read_public_inputs(const Path& file, const ModelSpec& spec) {
  return Translation(file, spec)();
}

}  // namespace ty
