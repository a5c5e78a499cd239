// The tensors of a model directory as parameters of ours: which is which, whether they fit, and
// their numbers. Names and orders are the family's (models/families).
#pragma once

#include <map>
#include <string>

#include "core/io/tensor_set.h"
#include "core/nn/flat_parameters.h"
#include "models/families/family.h"

namespace ty {

// The file's name of a part; the name that we would write if the file has none of its spellings.
std::string name_in(const TensorSet& tensors, const StoredPart& part);

// Whether the file holds a head of its own beside the token table, with other numbers: then a tied
// flag is wrong. Old files store the table twice.
bool has_own_head(const TensorSet& tensors, const ModelSpec& spec);

// True for tensors of a file that hold nothing of their own: a tied head, and buffers that old
// versions of the public library stored beside the weights.
bool is_redundant_tensor(const TensorSet& tensors, const std::string& name, const ModelSpec& spec);

// Throws DataError, in the words of `file`'s keys, if a size is not that of the tensors that show
// it: every shape that follows from it would be wrong, or too large to work with.
void check_sizes(const TensorSet& tensors, const ModelSpec& spec, const Path& file);

// Throws DataError that lists the first five tensors that are missing, of another shape or no
// floating type, or unknown.
void check_tensors(const TensorSet& tensors, const ParameterStore& store, const ModelSpec& spec);

// Throws NonFiniteError that names file and tensor if a weight holds NaN or infinity.
void check_finite(const TensorSet& tensors, const ParameterStore& store, const ModelSpec& spec);
// The same of a file that need not fit the model: of every tensor of numbers that says something.
void check_finite(const TensorSet& tensors, const ModelSpec& spec);

// Copies a parameter out of a directory's tensors into contiguous host memory of the whole
// parameter's shape and any float type, in our order. Throws NonFiniteError that names file and
// tensor if a number is none there.
void read_parameter(const TensorSet& tensors, const std::string& parameter, const ModelSpec& spec,
                    const View& to);
// The type in which a parameter is stored; of one in several tensors, the first one's.
DType stored_dtype(const TensorSet& tensors, const Parameter& parameter, const ModelSpec& spec);

// Fills all weights from the directory: of a parameter that is cut, the rank's part, and zeros
// where that is padding. Throws as check_tensors and read_parameter do.
void load_weights(const Path& directory, FlatParameters& parameters, const ModelSpec& spec);

// What a directory calls the tensors of our parameters, by the names that we would write.
std::map<std::string, std::string> names_in_directory(const Path& directory,
                                                      const ParameterStore& store,
                                                      const ModelSpec& spec);

}  // namespace ty
