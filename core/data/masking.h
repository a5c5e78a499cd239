// Masked language modelling (Devlin et al., arXiv 1810.04805): of the tokens of a batch, some are
// chosen, to be predicted; most of these are replaced by the mask, some by any other token.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/data/batch.h"

namespace ty {

struct MaskingOptions {
  double rate = 0.15;                // of tokens that are chosen
  double masked = 0.8;               // of them, that become the mask
  double random = 0.1;               // and any token; the rest stay
  std::int32_t mask = 0;             // the id of the mask
  std::int64_t vocab = 0;            // ids that may come in
  std::vector<bool> special = {};    // of each id: it is never chosen
  std::vector<bool> continues = {};  // of each id: it belongs to the word of the token before it;
                                     // whole words are chosen then. Empty: single tokens are
  bool types = false;                // adds a column of types, all 0
  std::uint64_t seed = 0;
};

// The ids of a source with its own choice for each sample: targets are the chosen ids, -1
// elsewhere. Columns besides ids and targets stay, and lengths [B] are added where there are none.
// A choice depends on (seed, number of the sample, place in it) alone.
std::unique_ptr<Source> masked_source(std::unique_ptr<Source> source,
                                      const MaskingOptions& options);

}  // namespace ty
