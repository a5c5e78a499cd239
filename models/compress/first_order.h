// first_order: a dense weight becomes a pruned one that the training which follows prunes, by
// scores that it gathers there (models/linear/pruned): whole for the first tenth of its steps, of
// which the last three tenths are at the share that remains.
#pragma once

#include "models/compress/method.h"
#include "models/linear/base/linear.h"
#include "models/linear/pruned/pruned.h"

namespace ty {

void check_first_order(const LinearShape& size, const DecompositionRequest& request);
// `error` is that of the entries which are not among the largest.
Decomposition decompose_first_order(const Matrix& w, const DecompositionRequest& request,
                                    const LayerStatistics& statistics);

// What stands in the scores [in, out] of a pruned layer in favour of entries that remain: max(S, 0)
// of those, 0 of the others.
Matrix gains(const PrunedSpec& spec, const std::vector<double>& scores, const LinearShape& shape);

}  // namespace ty
