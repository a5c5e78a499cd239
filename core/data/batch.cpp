#include "core/data/batch.h"

#include <numeric>

#include "core/base/error.h"

namespace ty {

const HostColumn& HostBatch::at(Column column) const {
  const auto found = columns.find(column);
  TY_CHECK(found != columns.end(), "a batch without column {}", static_cast<int>(column));
  return found->second;
}

HostBatch token_batch(std::int64_t first_sample, std::int64_t sequences,
                      std::vector<std::int32_t> ids, std::vector<std::int32_t> targets) {
  const Shape row = {sequences == 0 ? 0 : std::ssize(ids) / sequences};
  return {first_sample,
          sequences,
          {{Column::ids, {row, std::move(ids)}}, {Column::targets, {row, std::move(targets)}}}};
}

namespace {

template <typename T>
std::vector<T> rows_twice(const std::vector<T>& values, std::int64_t size) {
  std::vector<T> both;
  both.reserve(2 * values.size());
  for (auto row = values.begin(); row != values.end(); row += size) {
    for (int copy = 0; copy < 2; ++copy) both.insert(both.end(), row, row + size);
  }
  return both;
}

}  // namespace

HostBatch twice(const HostBatch& batch) {
  HostBatch both = {.first_sample = 2 * batch.first_sample, .sequences = 2 * batch.sequences};
  both.copies = 2;
  for (const auto& [column, one] : batch.columns) {
    const std::int64_t size = one.row.numel();
    both.columns[column] = {one.row, rows_twice(one.ids, size), rows_twice(one.numbers, size)};
  }
  return both;
}

HostBatch Source::batch(std::int64_t first, std::int64_t count) const {
  std::vector<std::int64_t> examples(static_cast<std::size_t>(count));
  std::iota(examples.begin(), examples.end(), first);
  return batch(examples);
}

}  // namespace ty
