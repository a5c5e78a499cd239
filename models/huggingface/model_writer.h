// Writes parameters to a model directory.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/io/safetensors.h"
#include "core/nn/flat_parameters.h"
#include "models/transformer/spec.h"
#include "parallel/comm/communicator.h"

namespace ty {

// A whole parameter.
struct OutgoingParameter {
  std::string name;  // ours
  DType dtype = DType::f32;
  Shape shape;                            // ours
  std::function<void(const View&)> fill;  // writes the whole parameter to contiguous host memory
};

// Writes parameters to one safetensors file. `names` maps the names that we would write to the ones
// to use (see names_in_directory); if it is empty, ours are used. Holds one parameter in memory at
// a time. Returns the tensors of the file.
std::vector<TensorInfo> write_parameters(FileWriter& out,
                                         std::span<const OutgoingParameter> parameters,
                                         const ModelSpec& spec,
                                         const std::map<std::string, std::string>& names = {});

// The tensors of such a file, in no order, with our names.
std::vector<TensorInfo> tensors_of(std::span<const OutgoingParameter> parameters,
                                   const ModelSpec& spec);

// Which values of each parameter to write.
enum class Content : std::uint8_t { weights, gradients };

// Calls `write` with all parameters of a model in memory that this rank's group counts, whole (of a
// table that two stages of a pipeline hold, one does). Where they are cut over a tensor
// group, fill() gathers a parameter from its ranks: a collective call of the group, in which rank 0
// calls `write` and the others send their parts until it returns or throws. What it throws leaves
// rank 0 alone. Weights keep their dtype.
void with_whole_parameters(const FlatParameters& parameters, Content content, const Group& tensor,
                           const std::function<void(std::span<const OutgoingParameter>)>& write);

// Writes all parameters of a model that this rank holds whole.
void write_parameters(FileWriter& out, const FlatParameters& parameters, const ModelSpec& spec,
                      Content content, const std::map<std::string, std::string>& names = {});

}  // namespace ty
