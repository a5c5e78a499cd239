#include "models/linear/base/layout.h"

#include <algorithm>
#include <cmath>

namespace ty {

namespace {

// Layouts of the layers in question, and what a rank would have to do.
struct Combination {
  std::vector<LinearLayout> layouts;
  std::vector<RankWork> works;
  double seconds = 0, weights = 0;
};

// All that the layers' options allow. Work without what crosses ranks is the same wherever a layer
// stands, so it is found out once.
std::vector<Combination> combinations(const std::vector<SharedLayer>& layers, Between between,
                                      const Sharing& sharing) {
  std::vector<Combination> all = {{}};
  for (const SharedLayer& layer : layers) {
    std::vector<Combination> longer;
    for (const LinearLayout layout : layer.options.layouts) {
      const RankWork work = work_of(layer.spec, layer.shape, layout, layer.split, sharing);
      for (Combination each : all) {
        each.layouts.push_back(layout);
        each.works.push_back(work);
        longer.push_back(std::move(each));
      }
    }
    all = std::move(longer);
  }
  for (Combination& each : all) {
    const bool outside =
        layers.size() == 2 && lies_outside(each.layouts[0], each.layouts[1], between, sharing);
    for (RankWork& work : each.works) {
      if (outside) work.numbers = 0;
      each.seconds += work.total_seconds(sharing.ranks());
      each.weights += work.weights;
    }
  }
  return all;
}

// Less time; where that is the same within a hundredth, less memory.
bool is_better(const Combination& a, const Combination& b) {
  constexpr double kSame = 0.01;
  const double apart = std::abs(a.seconds - b.seconds);
  return apart > kSame * std::max(a.seconds, b.seconds) ? a.seconds < b.seconds
                                                        : a.weights < b.weights;
}

LayoutCost cost_of(const RankWork& work, const Sharing& sharing) {
  return {work.seconds, work.sent_bytes(sharing.ranks()) / static_cast<double>(kStepTokens)};
}

std::vector<LayoutChoice> choose(const std::vector<SharedLayer>& layers, Between between,
                                 const Sharing& sharing) {
  std::vector<LayoutChoice> choices;
  for (const SharedLayer& layer : layers) {
    choices.push_back({layer.options.layouts.at(0), layer.options.only});
  }
  const auto is_open = [](const LayoutChoice& choice) { return choice.only.empty(); };
  if (std::none_of(choices.begin(), choices.end(), is_open)) return choices;
  const std::vector<Combination> all = combinations(layers, between, sharing);
  const Combination& best = *std::min_element(all.begin(), all.end(), is_better);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (!is_open(choices[i])) continue;
    // The best of those in which this layer has another layout.
    const Combination* other = nullptr;
    for (const Combination& each : all) {
      if (each.layouts[i] == best.layouts[i]) continue;
      if (other == nullptr || is_better(each, *other)) other = &each;
    }
    choices[i] = {best.layouts[i], "", cost_of(best.works[i], sharing),
                  cost_of(other->works[i], sharing)};
  }
  return choices;
}

}  // namespace

LayoutChoice choose_layout(const SharedLayer& layer, const Sharing& sharing) {
  return choose({layer}, Between::heads, sharing)[0];
}

std::pair<LayoutChoice, LayoutChoice> choose_layouts(const SharedLayer& out, const SharedLayer& in,
                                                     Between between, const Sharing& sharing) {
  std::vector<LayoutChoice> both = choose({out, in}, between, sharing);
  return {std::move(both[0]), std::move(both[1])};
}

bool lies_outside(LinearLayout out, LinearLayout in, Between between, const Sharing& sharing) {
  if (out != in) return false;
  if (out == LinearLayout::rank) return true;
  return out == LinearLayout::whole && between == Between::rows && sharing.has_own_rows();
}

}  // namespace ty
