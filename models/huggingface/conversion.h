// Converts one model directory into another: unchanged parameters are copied from file to file, new
// ones are computed while they are written.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "models/huggingface/stored_model.h"

namespace ty {

// A parameter whose values are computed when it is written.
struct MadeParameter {
  DType dtype = DType::f32;
  std::function<std::vector<double>()> values;  // of the whole parameter, row-major
};

// A change of a model: its new description, and the parameters, by name, that differ from the
// source's.
struct Conversion {
  ModelSpec spec;
  std::map<std::string, MadeParameter> made = {};
};

// The number of elements of all parameters of a model.
std::int64_t count_parameters(const ModelSpec& spec);

// Writes the converted model, with the source's tokenizer, to a new directory that appears complete
// or not at all. Returns the bytes written.
std::uint64_t write_converted(const StoredModel& source, const Conversion& conversion,
                              const Path& target);

// Replaces every factorised layer by the dense matrix that it represents. Keeps a reference to the
// source. Throws DataError for a layer that is no matrix (StoredModel::require_matrix()).
Conversion to_dense(const StoredModel& source);

// Copies the files of the model unchanged to a new directory. Returns the bytes written. All three
// throw NonFiniteError that names file and tensor if the source holds NaN or infinity.
std::uint64_t write_copy(const StoredModel& source, const Path& target);

}  // namespace ty
