#include "models/transformer/batch.h"

#include <algorithm>
#include <span>
#include <utility>

#include "core/base/error.h"

namespace ty {

namespace {

// Rows [first, first + count) of a column.
template <typename T>
Tensor rows_of(Backend& backend, const std::vector<T>& values, const Shape& row, std::int64_t first,
               std::int64_t count) {
  Shape shape = {count};
  for (const std::int64_t size : row) shape.push_back(size);
  const auto size = static_cast<std::size_t>(row.numel());
  const auto part = std::span(values).subspan(static_cast<std::size_t>(first) * size,
                                              static_cast<std::size_t>(count) * size);
  return Tensor::from<T>(backend, shape, part, MemoryClass::activation);
}

}  // namespace

const Tensor& Batch::at(Column column) const {
  const auto found = columns.find(column);
  TY_CHECK(found != columns.end(), "a batch without column {}", static_cast<int>(column));
  return found->second;
}

Batch upload(Backend& backend, const HostBatch& batch, std::int64_t first, std::int64_t count) {
  Batch result = {.first_sample = batch.first_sample + first, .sequences = count};
  for (const auto& [column, host] : batch.columns) {
    result.columns[column] = host.numbers.empty()
                                 ? rows_of(backend, host.ids, host.row, first, count)
                                 : rows_of(backend, host.numbers, host.row, first, count);
  }
  if (batch.has(Column::lengths)) {
    const auto begin = batch.at(Column::lengths).ids.begin() + first;
    result.lengths.assign(begin, begin + count);
  }
  result.copies = batch.copies;
  return result;
}

LengthOf lengths_in(const Batch& batch) {
  return [&batch](Column column) { return batch.has(column) ? batch.at(column).dim(1) : 0; };
}

LengthOf lengths_in(const HostBatch& batch) {
  return [&batch](Column column) { return batch.has(column) ? batch.at(column).row[0] : 0; };
}

std::vector<Tensor> Flow::tensors() const {
  std::vector<Tensor> all;
  for (const Tensor& tensor : {hidden, memory}) {
    if (tensor.defined()) all.push_back(tensor);
  }
  for (const auto& [name, latent] : latents) all.push_back(latent);
  return all;
}

Flow Flow::of(std::span<const Tensor> tensors, const std::vector<LatentForm>& latents) {
  TY_CHECK(tensors.size() >= latents.size(), "{} tensors with {} latents", tensors.size(),
           latents.size());
  const std::size_t first = tensors.size() - latents.size();
  Flow flow;
  if (first > 0) flow.hidden = tensors[0];
  if (first > 1) flow.memory = tensors[1];
  for (std::size_t i = 0; i < latents.size(); ++i) {
    flow.latents[latents[i].name] = tensors[first + i];
  }
  return flow;
}

Flow Flow::with_latents(const std::vector<LatentForm>& wanted) && {
  std::erase_if(latents, [&](const auto& latent) {
    return std::none_of(wanted.begin(), wanted.end(),
                        [&](const LatentForm& form) { return form.name == latent.first; });
  });
  return std::move(*this);
}

}  // namespace ty
