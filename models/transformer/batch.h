// What a model's blocks read and hand on: a batch's columns in a backend's memory, and the flow
// from block to block.
#pragma once

#include <map>

#include "core/data/batch.h"
#include "core/tensor/tensor.h"

namespace ty {

// Columns [B, row...] of int32.
struct Batch {
  std::int64_t first_sample = 0;  // global index of the first sequence
  std::int64_t sequences = 0;     // B
  std::map<Column, Tensor> columns = {};

  // T: tokens per sequence.
  std::int64_t length() const { return at(Column::ids).dim(1); }
  // Throws InternalError if the batch has no such column.
  const Tensor& at(Column column) const;
};

// The sequences [first, first + count) of a batch.
Batch upload(Backend& backend, const HostBatch& batch, std::int64_t first, std::int64_t count);

// What crosses the border between two blocks: all of it has gradients, and its shape follows from
// the model. All else a block takes from the batch.
struct Flow {
  // [B, T, C], or own rows or columns of it (models/linear/base/sharing.h); what Model::logits()
  // takes after the last block; undefined before the first one.
  Tensor hidden = {};
};

}  // namespace ty
