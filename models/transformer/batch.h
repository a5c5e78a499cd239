// What a model's blocks read and hand on: a batch's columns in a backend's memory, and the flow
// from block to block.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/data/batch.h"
#include "core/tensor/tensor.h"

namespace ty {

// Columns [B, row...] of int32, or of float where the batch has numbers.
struct Batch {
  std::int64_t first_sample = 0;  // global index of the first sequence
  std::int64_t sequences = 0;     // B
  std::map<Column, Tensor> columns = {};
  // [B] or empty: the column of lengths, for what is worked out on the host.
  std::vector<std::int32_t> lengths = {};
  int copies = 1;  // of each example, side by side

  bool has(Column column) const { return columns.contains(column); }
  // Throws InternalError if the batch has no such column.
  const Tensor& at(Column column) const;
  // The column, or an undefined tensor.
  Tensor find(Column column) const { return has(column) ? at(column) : Tensor(); }
};

// The sequences [first, first + count) of a batch.
Batch upload(Backend& backend, const HostBatch& batch, std::int64_t first, std::int64_t count);

// T of a batch: how many tokens (or patches) each sequence has in a column; 0 if there is none.
using LengthOf = std::function<std::int64_t(Column)>;
LengthOf lengths_in(const Batch& batch);
LengthOf lengths_in(const HostBatch& batch);

// A latent that crosses a border, by the path in its block of the layer that made it, and how many
// numbers it has per token.
struct LatentForm {
  std::string name;
  std::int64_t width = 0;
  friend bool operator==(const LatentForm&, const LatentForm&) = default;
};

// What crosses the border between two blocks: all of it has gradients, and its shape follows from
// the model. All else a block takes from the batch.
//
//   decoder or encoder   hidden: x
//   encoder-decoder      in the encoder     hidden: x         memory: the decoder's embeddings
//                        in the decoder     hidden: x         memory: what the encoder returned
//
// Of a batch without ids an encoder-decoder is its decoder: the encoder hands hidden on, and a
// cache holds what the decoder attends to.
struct Flow {
  // [B, T, C], or own rows or columns of it (models/linear/base/sharing.h); what Model::logits()
  // takes after the last block; undefined before the first one.
  Tensor hidden = {};
  Tensor memory = {};  // [B, S, C] or likewise; undefined but for an encoder-decoder
  // [B, T, r] or own rows of it, by the layer that made it: what lax layers read of the block
  // before (models/linear/lax/lax.h).
  std::map<std::string, Tensor> latents = {};

  // Those that are defined: hidden, memory, latents in the order of their names.
  std::vector<Tensor> tensors() const;
  static Flow of(std::span<const Tensor> tensors, const std::vector<LatentForm>& latents = {});
  // Without latents that the next block does not read.
  Flow with_latents(const std::vector<LatentForm>& wanted) &&;
};

}  // namespace ty
