// fwsvd: Fisher-weighted SVD (Hsu et al., "Language model compression with weighted low-rank
// factorization", arXiv 2207.00112). With F the Fisher information of the entries of W and
// d_i^2 = sum_j F_ij, the factors minimise sum_i d_i^2 |row i of W - A B|^2; or the same of
// columns, or of both: rows and columns of L = diag(d), R = diag(e).
//
// lora_svd: the same with the importances that an adapter gives (adapter_importance.h) in the place
// of F. lpaf: the same for a pruned W with what its scores say in favour of what remains
// (sparsity-aware SVD: Ren and Zhu, Findings of EMNLP 2022), d_i^2 = sum_j max(S_ij, 0) M_ij.
#pragma once

#include "models/compress/weighted_svd.h"

namespace ty {

WeightedMatrix weigh_by_fisher(const Matrix& w, const DecompositionRequest& request,
                               const LayerStatistics& statistics);
WeightedMatrix weigh_by_lora(const Matrix& w, const DecompositionRequest& request,
                             const LayerStatistics& statistics);
WeightedMatrix weigh_by_scores(const Matrix& w, const DecompositionRequest& request,
                               const LayerStatistics& statistics);

}  // namespace ty
