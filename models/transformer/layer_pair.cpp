#include "models/transformer/layer_pair.h"

namespace ty {

LayerPair make_pair(const BlockContext& at, const NamedShape& out, const NamedShape& in,
                    Between between) {
  const SharedLayer outward = at.shared_layer(out.name, out.shape, Split::out);
  const SharedLayer inward = at.shared_layer(in.name, in.shape, Split::in);
  const auto [first, second] = choose_layouts(outward, inward, between, at.sharing);
  LayerPair pair;
  pair.lies_outside = lies_outside(first.layout, second.layout, between, at.sharing);
  const auto split = [&](Split inside) { return pair.lies_outside ? Split::none : inside; };
  pair.out = at.make_linear(out.name, out.shape, split(Split::out), first);
  pair.in = at.make_linear(in.name, in.shape, split(Split::in), second);
  return pair;
}

}  // namespace ty
