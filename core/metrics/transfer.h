// Scores of style transfer, such as making a toxic sentence neutral, from numbers per sentence that
// other models give.
#pragma once

#include <span>

namespace ty {

struct TransferScores {
  double sta = 0;  // style accuracy: mean over sentences of being in the wanted style
  double sim = 0;  // mean similarity of content between source and output
  double fl = 0;   // mean fluency
  double j = 0;    // mean over sentences of sta * sim * fl
};

// One number per sentence in each list, equally many, at least one (InternalError otherwise). Where
// all of them lie in [0, 1], j is at most the smallest of the three means.
TransferScores transfer_scores(std::span<const double> sta, std::span<const double> sim,
                               std::span<const double> fl);

}  // namespace ty
