// Families of models, and how each is stored: the meaning of the keys of config.json, and the
// stored tensors that correspond to our parameters. Everything else is common to all families.
//
// To add a family: FAMILY.cpp with its entry, and that entry in families.cpp.
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

// A tensor of a file that holds one of our parameters, or a part of one.
//
// `place` locates the part in our parameter: it maps a contiguous view of the parameter to a
// strided view whose elements, in row-major order, are those of the file. So one description serves
// both reading and writing. Example: for [in, out] here and [out, in] in the file, the transposed
// view. Without `place` the file holds the parameter unchanged.
struct StoredPart {
  std::vector<std::string> names;  // the first is written; all are read
  Shape shape;                     // in the file
  std::function<View(const View& ours)> place = {};
};

// A size of the model, the spellings of its key, and its range: a larger value means damage, and
// products of sizes within range stay far below 2^63.
struct StoredSize {
  std::int64_t ModelSpec::*size;
  IntegerRange range;
  std::array<const char*, 3> names;  // the first is written; null: unused
  std::int64_t otherwise = -1;       // where no key is there; -1: one must be there
};

// A class of the public library (config.json's "architectures"), and the head it has. Of regression
// there are no classes of its own: a class with labels serves it.
struct StoredClass {
  std::string_view name;
  HeadSpec head = {};  // without the number of labels
};

struct Family {
  std::string_view name;  // model.family of a job, model_type of config.json
  // Of each kind of head the first is written; the first of all stands where config.json says
  // nothing.
  std::span<const StoredClass> classes;
  const char* activation_key;         // of config.json
  std::span<const StoredSize> sizes;  // of config.json
  // Patterns of tensor names to ignore: buffers stored by old versions of the public library, and
  // parts that no class here has.
  std::span<const std::string_view> unread;
  // A tensor that a language head adds to its scores, if any of its numbers is not zero; empty:
  // none. (The public library does not train it.)
  std::string_view fixed_bias = {};
  // The switches that all models of the family share, and what config.json need not state.
  ModelSpec start = {};
  // Reads everything in config.json except the kinds of linear layers and the head, which is set.
  // Throws DataError that names file and key.
  void (*read)(const JsonFields& json, ModelSpec& spec);
  // Sets the keys that read() reads, except for the activation.
  void (*write)(const ModelSpec& spec, nlohmann::json& json);
  // The tensors in which one of our parameters is stored; one or more. Of the names of the token
  // table's, those beyond the first that is there are copies. With an empty shape, names count.
  std::vector<StoredPart> (*parts)(const ModelSpec& spec, const std::string& parameter,
                                   const Shape& shape);
};

// In the order in which help lists them; the first one is the default.
std::span<const Family> families();
// Null if no family has that name.
const Family* find_family(std::string_view name);
// The family of a model; throws InternalError if it is unknown.
const Family& family_of(const ModelSpec& spec);

// The head of a model of this family for a kind of result, without the number of labels. Throws
// ConfigError that names the family if it has none.
HeadSpec head_of_family(const Family& family, HeadSpec::Kind kind);

// Adds a family from outside this library. Must be called before the first job or model is read;
// throws InternalError if the name is taken.
void add_family(const Family& family);

}  // namespace ty
