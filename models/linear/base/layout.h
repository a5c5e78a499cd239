// How ranks hold each layer where a job leaves it open: of the layouts that are possible and fit in
// memory, the one that takes least by a model of arithmetic and links (rank_work.h).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "models/linear/base/rank_work.h"
#include "models/linear/base/spec.h"

namespace ty {

// What the model says of one rank and layer.
struct LayoutCost {
  double seconds = 0;     // of arithmetic in a step
  double sent_bytes = 0;  // per token
};

// What was chosen for a layer, and why.
struct LayoutChoice {
  LinearLayout layout = LinearLayout::automatic;  // that if one rank has it all
  std::string only = {};  // why there was nothing to choose from; empty if there was
  LayoutCost cost = {};   // of the chosen layout, where there was another one
  LayoutCost other = {};  // of that other

  friend bool operator==(const LayoutChoice& a, const LayoutChoice& b) {
    return a.layout == b.layout && a.only == b.only;
  }
};

// A layer that ranks are to share, and the layouts that are open to it.
struct SharedLayer {
  LinearSpec spec;  // resolved
  LinearShape shape;
  Split split = Split::out;
  LayoutOptions options;
};

// What stands between a layer of Split::out and the next one of Split::in. rows: it treats each row
// alone, so that ranks with own rows that hold both layers whole can leave it outside.
enum class Between : std::uint8_t { heads, rows };

LayoutChoice choose_layout(const SharedLayer& layer, const Sharing& sharing);
// Of two layers with something between them.
std::pair<LayoutChoice, LayoutChoice> choose_layouts(const SharedLayer& out, const SharedLayer& in,
                                                     Between between, const Sharing& sharing);

// Whether nothing crosses ranks around what stands between two such layers.
bool lies_outside(LinearLayout out, LinearLayout in, Between between, const Sharing& sharing);

}  // namespace ty
