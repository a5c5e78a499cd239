// A model directory: config.json and safetensors, as the public `transformers` library reads and
// writes them. Ours and theirs are the same format.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "core/io/tensor_set.h"
#include "core/nn/flat_parameters.h"
#include "models/transformer/gpt2.h"

namespace ty {

// What config.json alone says. Throws DataError that names file and key.
Gpt2Config parse_model_config(const Path& directory);

// The configuration of a model directory, compared with its tensors: all of them are there, in the
// shapes that it asks for, before anyone plans or allocates by it. A head of its own counts, tied
// flag or not, as in the public library. Throws DataError that names file and key, or the tensors.
Gpt2Config read_model_config(const Path& directory);
Gpt2Config read_model_config(const Path& directory, const TensorSet& tensors);
// The content of its config.json.
void write_model_config(FileWriter& out, const Gpt2Config& config);

// True for tensors of a file that hold nothing of their own: a tied head, and buffers that old
// versions of the public library stored beside the weights.
bool is_redundant_tensor(const TensorSet& tensors, const std::string& name,
                         const Gpt2Config& config);

// Throws DataError that lists the first five tensors that are missing, of another shape or no
// floating type, or unknown.
void check_tensors(const TensorSet& tensors, const ParameterStore& store, const Gpt2Config& config);

// Fills all weights from the directory. Throws as check_tensors and read_parameter do.
void load_weights(const Path& directory, FlatParameters& parameters, const Gpt2Config& config);

// The names that a directory uses for our parameters (with or without the "transformer." prefix).
std::map<std::string, std::string> names_in_directory(const Path& directory,
                                                      const ParameterStore& store,
                                                      const Gpt2Config& config);

// Throws NonFiniteError that names file and tensor if a weight holds NaN or infinity.
void check_finite(const TensorSet& tensors, const ParameterStore& store, const Gpt2Config& config);

// Copies a parameter out of a directory's tensors into contiguous host memory of the parameter's
// size and any float type, in our order. Throws NonFiniteError that names file and tensor if a
// number is none there.
void read_parameter(const TensorSet& tensors, const std::string& ours, const Gpt2Config& config,
                    const View& to);
// The type in which a parameter is stored.
DType stored_dtype(const TensorSet& tensors, const std::string& ours, const Gpt2Config& config);

// A parameter on its way into a model directory.
struct OutgoingParameter {
  std::string name;  // ours
  DType dtype = DType::f32;
  Shape shape;                            // ours
  std::function<void(const View&)> fill;  // writes all of it to contiguous host memory
};

// Parameters as one safetensors file under the given names (see names_in_directory), or under the
// library's full names if `names` is empty. One of them is in memory at a time.
void write_parameters(FileWriter& out, std::span<const OutgoingParameter> parameters,
                      const Gpt2Config& config,
                      const std::map<std::string, std::string>& names = {});

// What of each parameter to write.
enum class Content : std::uint8_t { weights, gradients };

// The same for all parameters of a model in memory. Weights keep their dtype.
void write_parameters(FileWriter& out, const FlatParameters& parameters, const Gpt2Config& config,
                      Content content, const std::map<std::string, std::string>& names = {});

}  // namespace ty
