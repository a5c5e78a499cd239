// Families of models: how each is stored, in rows. A family says which keys of config.json mean
// what, and which tensors of a file a parameter of ours is; everything else is the same for all of
// them.
//
// To add one: FAMILY.cpp with its row, and the row in families.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/view.h"
#include "core/io/json_fields.h"
#include "models/transformer/spec.h"

namespace ty {

// A tensor of a file that holds a parameter of ours, or a part of one.
//
// `place` shows the part's numbers in our parameter: of a contiguous view of the parameter it gives
// a strided one, whose elements in row-major order are the file's. So one description serves
// reading and writing. Example: [in, out] here, [out, in] there: a transposed view. Without it the
// file holds the parameter as it is.
struct StoredPart {
  std::vector<std::string> names;  // the first is what we write; the others are read as well
  Shape shape;                     // in the file
  std::function<View(const View& ours)> place = {};
};

// A size of the model, the spellings of its key, and how large it may be: more is damage, and
// products of these stay far from 2^63.
struct StoredSize {
  std::int64_t ModelSpec::*size;
  IntegerRange range;
  std::array<const char*, 3> names;  // the first is the one that we write; null: no more
};

struct Family {
  std::string_view name;              // model.family of a job, model_type of config.json
  std::string_view class_name;        // of the public library: config.json's architectures
  const char* activation_key;         // of config.json
  std::span<const StoredSize> sizes;  // of config.json
  // Names of tensors, by pattern, that hold nothing: buffers of old versions of the public library.
  std::span<const std::string_view> buffers;
  // All that config.json says apart from linear layers that are not dense. Throws DataError that
  // names file and key.
  ModelSpec (*read)(const JsonFields& json);
  // Sets the keys that read() reads, but for the activation.
  void (*write)(const ModelSpec& spec, nlohmann::json& json);
  // The tensors that a parameter of ours is stored as; one or more.
  std::vector<StoredPart> (*parts)(const ModelSpec& spec, const std::string& parameter,
                                   const Shape& shape);
};

// In the order in which help lists them; the first one is what is meant where none is named.
std::span<const Family> families();
// Null if there is none of that name.
const Family* find_family(std::string_view name);
// The model's; throws InternalError if there is none.
const Family& family_of(const ModelSpec& spec);

// Adds a family that is not of this library. Call it before the first job or model is read; throws
// InternalError if the name is taken.
void add_family(const Family& family);

}  // namespace ty
