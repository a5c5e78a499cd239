// `trainyard eval --table ITEM...`: models of the nine tasks of GLUE as one row of a table.
#pragma once

#include "core/base/dtype.h"
#include "launch/cli/arguments.h"
#include "launch/process/world.h"

namespace ty {

// Each word is a run on a GLUE set, which is evaluated on its data.valid (and on the other dev
// files beside that, if the set has several), or a file that `eval --json` of such a model printed.
// Throws UsageError for anything else and for a set that comes twice.
ExitCode evaluate_table(const Arguments& arguments, World& world, DType dtype);

}  // namespace ty
