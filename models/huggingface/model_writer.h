// Parameters on their way into a model directory.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>

#include "core/io/safetensors.h"
#include "core/nn/flat_parameters.h"
#include "models/transformer/spec.h"

namespace ty {

struct OutgoingParameter {
  std::string name;  // ours
  DType dtype = DType::f32;
  Shape shape;                            // ours
  std::function<void(const View&)> fill;  // writes all of it to contiguous host memory
};

// Parameters as one safetensors file, under the names that `names` gives for those that we would
// write (see names_in_directory), or under these if it is empty. One of them is in memory at a
// time.
void write_parameters(FileWriter& out, std::span<const OutgoingParameter> parameters,
                      const ModelSpec& spec, const std::map<std::string, std::string>& names = {});

// What of each parameter to write.
enum class Content : std::uint8_t { weights, gradients };

// The same for all parameters of a model in memory. Weights keep their dtype.
void write_parameters(FileWriter& out, const FlatParameters& parameters, const ModelSpec& spec,
                      Content content, const std::map<std::string, std::string>& names = {});

}  // namespace ty
