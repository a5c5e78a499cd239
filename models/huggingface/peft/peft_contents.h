// The tensors of a directory of adapters, by the public names of modules and parameters.
//
//   base_model.model.MODULE.lora_A.weight, .lora_B.weight, .lora_magnitude_vector
//   base_model.model.PARAMETER       what was trained whole; layers around modules add
//   ".base_layer"
//                                    and ".modules_to_save" to their names
#pragma once

#include <map>
#include <string>

#include "core/io/tensor_set.h"

namespace ty {

struct PeftContents {
  // Names of the tensors of one adapted module; empty: not there.
  struct Adapter {
    std::string a, b, magnitude;
  };
  std::map<std::string, Adapter> adapters;
  std::map<std::string, std::string> whole;  // parameter -> tensor
};

// Opens adapter_model.safetensors. Throws DataError for one that is pickled.
TensorSet open_peft_tensors(const Path& directory);

// Throws DataError for a name that has not the library's prefix.
PeftContents peft_contents(const TensorSet& tensors);

}  // namespace ty
