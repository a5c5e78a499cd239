// How most families store parameters: linear weights as [out, in], and q, k and v apart. A family's
// table says what its modules are called.
#pragma once

#include "models/families/family.h"

namespace ty {

// A module of ours and its public name. What we hold fused, head by head, is stored in as many
// layers as `apart` names; `theirs` then names the factors of a fused layer.
struct StoredModule {
  std::string_view ours;
  std::string_view theirs;
  std::array<std::string_view, 3> apart = {};
};

struct StoredModules {
  std::string_view prefix;          // of all modules of the base model; some files leave it out
  std::string_view blocks;          // "encoder.layer.": where ours say "blocks."
  std::string_view encoder_blocks;  // and "encoder.blocks."
  std::span<const StoredModule> in_block;
  std::span<const StoredModule> base;  // outside of blocks
  std::span<const StoredModule> head;  // outside of the base model
};

// A linear weight [in, out] that is stored as [out, in]; with an empty shape, its names alone.
StoredPart transposed(std::vector<std::string> names, const Shape& shape);

// The tensors of one of our parameters. A model without a head is written without the prefix, as
// the public library does. Throws InternalError for a parameter without a public name.
std::vector<StoredPart> stored_parts(const StoredModules& modules, const ModelSpec& spec,
                                     const std::string& parameter, const Shape& shape);

// Adds names under which the token table of a model whose head is tied to it may be stored, too.
void add_names(StoredPart& part, std::initializer_list<std::string_view> names);

}  // namespace ty
