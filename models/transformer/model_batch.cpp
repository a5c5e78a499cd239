#include "models/transformer/model_batch.h"

namespace ty {

namespace {

class Filler {
 public:
  Filler(HostBatch& batch, const DrawId& draw) : batch_(batch), draw_(draw) {}

  void ids(Column column, const Shape& row, std::int64_t limit) {
    std::vector<std::int32_t> ids(size_of_column(row));
    if (draw_) {
      for (std::int32_t& id : ids) id = draw_(limit);
    }
    batch_.columns[column] = {.row = row, .ids = std::move(ids)};
  }
  void same_id(Column column, std::int32_t id) {
    batch_.columns[column] = {.row = {}, .ids = std::vector(size_of_column({}), id)};
  }
  void numbers(Column column, const Shape& row) {
    batch_.columns[column] = {.row = row, .numbers = std::vector<float>(size_of_column(row))};
  }

 private:
  std::size_t size_of_column(const Shape& row) const {
    return static_cast<std::size_t>(batch_.sequences * row.numel());
  }
  HostBatch& batch_;
  const DrawId& draw_;
};

}  // namespace

HostBatch model_batch(const ModelSpec& spec, std::int64_t sequences, std::int64_t length,
                      const DrawId& draw) {
  HostBatch batch = {.sequences = sequences};
  Filler fill(batch, draw);
  if (spec.reads_images()) {
    fill.numbers(Column::patches, {spec.image_tokens(), spec.image.patch_numbers()});
  } else {
    fill.ids(Column::ids, {length}, spec.vocab);
    if (spec.types > 0) fill.ids(Column::types, {length}, spec.types);
    if (spec.reads_lengths()) fill.same_id(Column::lengths, static_cast<std::int32_t>(length));
    if (spec.has_encoder()) fill.ids(Column::decoder_ids, {length}, spec.vocab);
  }
  switch (spec.head.kind) {
    case HeadSpec::Kind::language:
      fill.ids(Column::targets, {length}, spec.vocab);
      break;
    case HeadSpec::Kind::labels:
      fill.ids(Column::targets, {}, spec.head.labels);
      break;
    case HeadSpec::Kind::values:
      fill.numbers(Column::values, {spec.head.labels});
      break;
    case HeadSpec::Kind::none:
      break;
  }
  return batch;
}

}  // namespace ty
