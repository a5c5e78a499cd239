// ttm: a tensor train matrix by TT-SVD, and rounding of one that is a train already.
#pragma once

#include "models/compress/method.h"
#include "models/linear/ttm/tt_svd.h"

namespace ty {

// What a request comes to for a matrix: modes (their ranks mean nothing) and the ranks of bonds.
struct TtTarget {
  TtmShape modes;
  TtRule rule;
};
// Throws ConfigError as Method::check does.
TtTarget tt_target(const LinearShape& size, const DecompositionRequest& request);

void check_ttm(const LinearShape& size, const DecompositionRequest& request);
Decomposition decompose_ttm(const Matrix& w, const DecompositionRequest& request,
                            const LayerStatistics& statistics = {});
Decomposition reduce_ttm(const Decomposition& factors, const LinearShape& size,
                         const DecompositionRequest& request);

// A train as parameters.
Decomposition ttm_decomposition(TtCores train, double error);

}  // namespace ty
