// Adapters of a model as a directory of the public `peft` library.
#pragma once

#include <set>
#include <string>

#include "models/huggingface/stored_model.h"

namespace ty {

struct PeftOptions {
  std::string base_name;                  // what adapter_config.json says of its base; "": nothing
  const StoredModel* original = nullptr;  // the base before pissa took its part out of it
  std::set<std::string> trained = {};     // names of parameters that differ from the base's
};

// Writes the adapters of a model, and what was trained besides, to a new directory that appears
// complete or not at all; returns the bytes written. The library gives the same results with it
// beside the model that `export --dense` makes of the base:
//
//   a fused layer of GPT-2 of which parts are adapted   one module of all their ranks, zeros in B
//   a fused layer of other families, adapted as one     a module per part, each with a copy of A
//   pissa                                               twice the rank: A B - A_0 B_0 beside W
//
// Throws DataError for a model without adapters and for what the format cannot say.
std::uint64_t write_peft(const StoredModel& model, const PeftOptions& options, const Path& target);

}  // namespace ty
