#include "models/transformer/block.h"

namespace ty {

LinearSpec BlockContext::choose(const std::string& path, const LinearShape& shape,
                                const std::string& table) const {
  LinearSpec spec = linear.choose(path, shape);
  if (sites != nullptr) sites->push_back({path, shape, spec, table});
  return spec;
}

std::unique_ptr<Linear> BlockContext::make_linear(std::string_view name, const LinearShape& shape,
                                                  Split split) const {
  const Scope place = scope.child(name);
  const LinearSpec spec = choose(place.path(), shape);
  Sharing own = sharing;
  if (own.ranks() > 1) {
    own.layout = linear.layout_of(place.path(), spec, shape, split, sharing);
    if (sites != nullptr) sites->back().layout = own.layout;
  }
  auto layer = ty::make_linear(place, shape, spec, split, own);
  if (layers != nullptr) layers->push_back(layer.get());
  return layer;
}

LinearLayout BlockContext::layout_of(std::string_view name, const LinearShape& shape,
                                     Split split) const {
  const std::string path = scope.child(name).path();
  return linear.layout_of(path, linear.choose(path, shape), shape, split, sharing);
}

}  // namespace ty
