// The linear layers of a model as a table: what the rules of a job resolve to.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "models/linear/rules.h"

namespace ty {

// One line for all blocks with equal layers: "blocks.*.mlp.up  x 4  [128, 512]  ttm ..", with the
// number of weights, its ratio to the dense layer's, how the layer runs at so many tokens per pass,
// or with W shared by the micro-batches of a step, and how ranks hold it and why.
std::string format_linear_sites(const std::vector<LinearSite>& sites, std::int64_t tokens,
                                bool shared);
// One object per layer: path, in, out, kind, weights, the sizes of its kind, layout.
nlohmann::json linear_sites_json(const std::vector<LinearSite>& sites, std::int64_t tokens,
                                 bool shared);

}  // namespace ty
