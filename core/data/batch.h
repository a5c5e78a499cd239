// A batch as the data layer delivers it: everything that a model reads and that has no gradient, in
// columns with one row per sequence. It is a pure function of (seed, step, sample), so each rank
// reads its own and nothing is sent between ranks.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "core/base/shape.h"

namespace ty {

// What a column holds of each sequence; T: its tokens, S: those that a decoder writes.
//   ids, types       [T]     token ids, and which of several texts each token belongs to
//   lengths          []      how many tokens are no padding, which comes last
//   decoder_ids      [S]     ids of the decoder of an encoder-decoder
//   patches          [T, n]  numbers of an image's patches, zeros first (for the class token)
//   targets          [S] or []  ids that are to be predicted, or one label; negative: ignored
//   values           []      a number that is to be predicted
enum class Column : std::uint8_t { ids, types, lengths, decoder_ids, patches, targets, values };

// Either ids or numbers.
struct HostColumn {
  Shape row = {};                      // of one sequence
  std::vector<std::int32_t> ids = {};  // [sequences, row...]
  std::vector<float> numbers = {};     // [sequences, row...]
};

struct HostBatch {
  std::int64_t first_sample = 0;  // global index of the first sequence
  std::int64_t sequences = 0;
  std::map<Column, HostColumn> columns = {};
  int copies = 1;  // of each example, side by side; sequences counts them all

  bool has(Column column) const { return columns.contains(column); }
  // Throws InternalError if the batch has no such column.
  const HostColumn& at(Column column) const;
};

// Token ids and the ids that follow them, [sequences, length] each; negative targets are ignored.
HostBatch token_batch(std::int64_t first_sample, std::int64_t sequences,
                      std::vector<std::int32_t> ids, std::vector<std::int32_t> targets);

// Each example of a batch without copies twice: 0, 0, 1, 1, ..
HostBatch twice(const HostBatch& batch);

// Examples, read by number.
class Source {
 public:
  virtual ~Source() = default;
  // The number of examples; of one epoch, if the data is read repeatedly.
  virtual std::int64_t examples() const = 0;
  virtual HostBatch batch(std::span<const std::int64_t> examples) const = 0;
  // The examples [first, first + count).
  HostBatch batch(std::int64_t first, std::int64_t count) const;
};

}  // namespace ty
