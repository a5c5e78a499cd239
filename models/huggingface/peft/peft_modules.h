// The modules of the public library that correspond to a linear layer of ours, and where their
// matrices lie in those of our adapter.
//
//   lora_A [r, in] there is A^T here, lora_B [out, r] a part of the columns of B, transposed; what
//   we hold fused may be one module there (GPT-2) or several (all others).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/families/family.h"
#include "models/linear/rules.h"

namespace ty {

struct PeftModule {
  std::vector<std::string> names;  // "bert.encoder.layer.0.attention.self.query"; see StoredPart
  std::int64_t out = 0;
  // Whether its weight is stored as [in, out]: fan_in_fan_out of the library.
  bool keeps_order = false;
  std::function<View(const View&)> place = {};  // see StoredPart

  // Of a contiguous matrix [n, out of the layer], what is the module's, as [out, n]; more than two
  // dimensions may count the columns.
  View columns_of(const View& b) const;
};

// In the order in which they are stored: q, k, v. Throws InternalError for a layer without a public
// name.
std::vector<PeftModule> peft_modules(const ModelSpec& spec, const LinearSite& site);

}  // namespace ty
