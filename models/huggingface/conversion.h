// From one model directory to another: what stays is copied from file to file, what is new is
// worked out while it is written.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "models/huggingface/stored_model.h"

namespace ty {

// A parameter whose values are worked out when it is written.
struct MadeParameter {
  DType dtype = DType::f32;
  std::function<std::vector<double>()> values;  // of the whole parameter, row-major
};

// How a model is changed: its new description, and those parameters, by name, that are not the
// source's.
struct Conversion {
  ModelSpec spec;
  std::map<std::string, MadeParameter> made = {};
};

// How many numbers the parameters of a model hold.
std::int64_t count_parameters(const ModelSpec& spec);

// Writes the converted model as a new directory, with the source's tokenizer; all or nothing.
// Returns the bytes written.
std::uint64_t write_converted(const StoredModel& source, const Conversion& conversion,
                              const Path& target);

// The model without factorised layers: each is replaced by the matrix that it stands for. Refers to
// the source.
Conversion to_dense(const StoredModel& source);

// Copies the model's own files, as they are, into a new directory. Returns the bytes written. All
// three throw NonFiniteError that names file and tensor if the source holds such a number.
std::uint64_t write_copy(const StoredModel& source, const Path& target);

}  // namespace ty
