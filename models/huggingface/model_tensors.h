// The tensors of a model directory as our parameters: their correspondence, their shapes and their
// values. Names and element orders are given by the family (models/families).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/io/tensor_set.h"
#include "core/nn/flat_parameters.h"
#include "models/families/family.h"

namespace ty {

// The name of a part in the file; the name that we would write if the file has none of its
// spellings.
std::string name_in(const TensorSet& tensors, const StoredPart& part);

// Whether the file holds a head that differs from the token table, so that a tied flag is wrong.
// (Old files store the table twice.)
bool has_own_head(const TensorSet& tensors, const ModelSpec& spec);

// Whether the file holds the family's fixed bias (Family::fixed_bias) and it is not zero.
bool has_fixed_bias(const TensorSet& tensors, const ModelSpec& spec);

// True for tensors without information of their own: a tied head, and buffers that old versions of
// the public library stored beside the weights; and for those of a head that the class has not.
bool is_redundant_tensor(const TensorSet& tensors, const std::string& name, const ModelSpec& spec);

// Throws DataError that names a key of `file` if a size contradicts the tensors that determine it:
// every shape derived from it would be wrong, or too large to work with.
void check_sizes(const TensorSet& tensors, const ModelSpec& spec, const Path& file);

// Throws DataError that lists the first five tensors that are missing, unknown, or of a wrong shape
// or type.
void check_tensors(const TensorSet& tensors, const ParameterStore& store, const ModelSpec& spec);

// Throws NonFiniteError that names file and tensor if a weight holds NaN or infinity.
void check_finite(const TensorSet& tensors, const ParameterStore& store, const ModelSpec& spec);
// The same for a file that need not fit the model: checks every floating tensor that is not
// redundant.
void check_finite(const TensorSet& tensors, const ModelSpec& spec);

// Copies a parameter out of a directory's tensors into contiguous host memory of the whole
// parameter's shape and any float type, in our order. Throws NonFiniteError that names file and
// tensor if a number is none there.
void read_parameter(const TensorSet& tensors, const std::string& parameter, const ModelSpec& spec,
                    const View& to);
// The type in which a parameter is stored; if it is split over several tensors, that of the first.
DType stored_dtype(const TensorSet& tensors, const Parameter& parameter, const ModelSpec& spec);

// Fills all weights from the directory: of a parameter that is cut, the rank's part, and zeros
// where that is padding. Throws as check_tensors and read_parameter do.
void load_weights(const Path& directory, FlatParameters& parameters, const ModelSpec& spec);

// Fills those weights that the directory's own model, `stored`, has in the same shape. Returns the
// names of the others, which keep their values.
std::vector<std::string> load_common_weights(const Path& directory, FlatParameters& parameters,
                                             const ModelSpec& stored);

// The names that a directory uses for the tensors of our parameters, by the names that we would
// write.
std::map<std::string, std::string> names_in_directory(const Path& directory,
                                                      const ParameterStore& store,
                                                      const ModelSpec& spec);

}  // namespace ty
