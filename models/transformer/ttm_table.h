// A token table that is one tensor train matrix (Novikov et al., arXiv 1509.06569; Hrinchuk et al.,
// arXiv 1901.10787).
//
//   E [V, C] ~ core1 [1, V1, C1, R1] core2 [R1, V2, C2, R2] ..      V <= V1 V2 .., C <= C1 C2 ..
//
// What lies beyond V or C belongs to no id, and has no gradient. Ids read rows (ttm_rows.h); a tied
// head is the ttm layer of the transposed cores. Ranks divide V1, so that the cores of each are a
// train of its own rows.
#pragma once

#include <vector>

#include "models/linear/ttm/ttm.h"
#include "models/transformer/token_table.h"

namespace ty {

// Declares the cores at `at`, of an exact spec. Throws ConfigError where ranks cannot divide them.
std::unique_ptr<TokenTable> make_ttm_table(const BlockContext& at, const LinearShape& shape,
                                           const TtmSpec& spec);
// The table of cores that are declared.
std::unique_ptr<TokenTable> ttm_table_of(const BlockContext& at, const LinearShape& shape,
                                         const TtmSpec& spec, std::vector<const Parameter*> cores);

}  // namespace ty
