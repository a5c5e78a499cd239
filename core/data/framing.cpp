#include "core/data/framing.h"

#include <algorithm>
#include <utility>

namespace ty {

Frame frame_of(const Tokenizer& tokenizer) {
  Frame frame;
  std::vector<std::int32_t>* side = &frame.before;
  for (const TemplatePiece& piece : tokenizer.templates().single) {
    side->insert(side->end(), piece.ids.begin(), piece.ids.end());
    if (piece.text == TemplateText::first) side = &frame.after;
  }
  frame.pad = tokenizer.special().pad.value_or(0);
  return frame;
}

namespace {

class FramedSource final : public Source {
 public:
  FramedSource(std::unique_ptr<Source> windows, Frame frame)
      : windows_(std::move(windows)), frame_(std::move(frame)) {}

  std::int64_t examples() const override { return windows_->examples(); }

  HostBatch batch(std::span<const std::int64_t> samples) const override {
    const HostBatch inside = windows_->batch(samples);
    const std::int64_t length = inside.at(Column::ids).row[0];
    HostBatch batch = {.first_sample = inside.first_sample, .sequences = inside.sequences};
    HostColumn& ids = batch.columns[Column::ids];
    HostColumn& lengths = batch.columns[Column::lengths];
    ids.row = {length + frame_.size()};
    const auto append = [&](const auto& from, std::int64_t first, std::int64_t count) {
      ids.ids.insert(ids.ids.end(), from.begin() + first, from.begin() + first + count);
    };
    const std::vector<std::int32_t>&text = inside.at(Column::ids).ids,
          &targets = inside.at(Column::targets).ids;
    for (std::int64_t first = 0; first < std::ssize(text); first += length) {
      const auto row = targets.begin() + first;
      const std::int64_t valid =
          std::count_if(row, row + length, [](std::int32_t target) { return target >= 0; });
      append(frame_.before, 0, std::ssize(frame_.before));
      append(text, first, valid);
      append(frame_.after, 0, std::ssize(frame_.after));
      ids.ids.insert(ids.ids.end(), static_cast<std::size_t>(length - valid), frame_.pad);
      lengths.ids.push_back(static_cast<std::int32_t>(valid + frame_.size()));
    }
    return batch;
  }

 private:
  std::unique_ptr<Source> windows_;
  Frame frame_;
};

}  // namespace

std::unique_ptr<Source> framed_source(std::unique_ptr<Source> windows, Frame frame) {
  return std::make_unique<FramedSource>(std::move(windows), std::move(frame));
}

}  // namespace ty
