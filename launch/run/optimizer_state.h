// The optimizer's moments in the files of a checkpoint: by parameter and position in the whole
// parameter, so that any number of data and tensor ranks, sharded or not, can go on from them.
//
// A tensor of a file is called MOMENT|PARAMETER|FIRST, for elements [FIRST, ..) of the parameter,
// row-major; of a parameter that is cut, MOMENT|PARAMETER|DIM:BEGIN+COUNT/SIZE|FIRST, for elements
// [FIRST, ..) of its part [BEGIN, BEGIN + COUNT) along dimension DIM, whose size is SIZE. Padding
// of a part is left out.
#pragma once

#include <functional>

#include "core/io/file_writer.h"
#include "core/io/manifest.h"
#include "optim/optimizer.h"

namespace ty {

// Writes the moments of the optimizer's pieces, of parameters that this rank counts, as one
// safetensors file.
void write_optimizer(FileWriter& out, const FlatParameters& parameters, const Optimizer& optimizer);

// Fills the moments of the optimizer's pieces from all optimizer files of a checkpoint. Throws
// DataError if elements are missing or there twice, of another type, or outside their parameter.
// Moments are zero where they are missing and `may_miss` allows it for the parameter: of another
// optimizer, or of what was not trained yet.
void read_optimizer(const Path& directory, const Manifest& manifest,
                    const std::function<bool(const Parameter&)>& may_miss,
                    const FlatParameters& parameters, const Optimizer& optimizer);

}  // namespace ty
