#include "models/transformer/batch.h"

#include <span>

#include "core/base/error.h"

namespace ty {

const Tensor& Batch::at(Column column) const {
  const auto found = columns.find(column);
  TY_CHECK(found != columns.end(), "a batch without column {}", static_cast<int>(column));
  return found->second;
}

Batch upload(Backend& backend, const HostBatch& batch, std::int64_t first, std::int64_t count) {
  Batch result = {.first_sample = batch.first_sample + first, .sequences = count};
  for (const auto& [column, host] : batch.columns) {
    Shape shape = {count};
    for (int i = 0; i < host.row.rank(); ++i) shape.push_back(host.row[i]);
    const auto row = static_cast<std::size_t>(host.row.numel());
    const auto part = std::span(host.ids).subspan(static_cast<std::size_t>(first) * row,
                                                  static_cast<std::size_t>(count) * row);
    result.columns[column] =
        Tensor::from<std::int32_t>(backend, shape, part, MemoryClass::activation);
  }
  return result;
}

}  // namespace ty
