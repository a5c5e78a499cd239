// A batch in a safetensors file whose tensors are named as the public `transformers` library names
// the arguments of its models:
//
//   input_ids, token_type_ids, attention_mask [B, T]   decoder_input_ids [B, S]
//   pixel_values [B, channels, size, size]
//   labels [B, T] or [B, S] of ids, [B] of labels, or [B] or [B, L] of numbers; -100: none
#pragma once

#include "core/data/batch.h"
#include "core/io/file.h"
#include "models/transformer/spec.h"

namespace ty {

struct PublicInputs {
  HostBatch batch;
  bool has_targets = false;  // else there is no loss
};

// The columns that a model reads. Labels are shifted, and decoder_input_ids that are not there made
// from them (else from input_ids), as the library does it for the model's class. Throws DataError
// that names file and tensor for shapes, types and ids that do not fit, and for masks that are no
// padding at the end.
PublicInputs read_public_inputs(const Path& file, const ModelSpec& spec);

}  // namespace ty
