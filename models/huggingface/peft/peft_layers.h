// The adapters of a stored model, as modules of the public library.
#pragma once

#include <string>
#include <vector>

#include "core/linalg/matrix.h"
#include "models/huggingface/stored_model.h"

namespace ty {

// y = x W + s x a^T b^T in the library's shapes.
struct PeftAdapter {
  std::string module;
  Matrix a, b;                         // [r, in], [out, r]
  std::vector<double> magnitude = {};  // [out]; empty: no dora
  double scale = 1;                    // s
  DType dtype = DType::f32;
  bool keeps_order = false;  // PeftModule

  std::int64_t rank() const { return a.rows; }
};

// Those of one layer, which has an adapter. `original`: see PeftOptions; may be null unless the
// layer started with pissa. Throws DataError if that is missing.
std::vector<PeftAdapter> peft_adapters(const StoredModel& model, const LinearSite& site,
                                       const StoredModel* original);

}  // namespace ty
