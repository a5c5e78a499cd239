// Which method, and how much of it, each layer gets: the least error for a size or a speed of all
// layers together.
//
// Every layer is cut by every method at several sizes. Of these candidates, and of staying as it
// is, each layer takes the one with the least e + p c: e its squared relative error, c its cost.
// One price p holds for all layers (Lagrange; Everett, Operations Research 11(3), 1963); it is the
// lowest for which the costs fit. What is left over then buys single improvements.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/compress/compression.h"

namespace ty {

enum class SearchGoal : std::uint8_t {
  weights,  // numbers
  time,     // predicted, of a forward and backward pass (rank_work.h)
};

// One way to make a layer.
struct Candidate {
  double error = 0;  // squared, as a share of the layer's own
  double cost = 0;
};

// The index of the candidate that each layer takes, so that the costs sum up to `most` or less.
// Each list is not empty; where not even the cheapest fit, those are taken.
std::vector<std::size_t> choose_candidates(std::span<const std::vector<Candidate>> layers,
                                           double most);

struct SearchRequest {
  std::vector<const Method*> methods;
  SearchGoal goal = SearchGoal::weights;
  double share = 0.5;              // of what dense layers of these sizes cost, all together
  DecompositionRequest like = {};  // its budget does not matter
};

// Cuts the layers as is best. Those that stay dense are not among the result's. Errors are those of
// outputs where the statistics know them, else by Fisher information, else of weights. Throws
// UsageError if no candidates fit the share, and as compress() does.
Compression search_compression(const StoredModel& source, const std::vector<LinearSite>& layers,
                               const SearchRequest& request,
                               const CompressionOptions& options = {});

}  // namespace ty
