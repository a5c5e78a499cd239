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
  auto layer = ty::make_linear(place, shape, choose(place.path(), shape), split, sharing);
  if (layers != nullptr) layers->push_back(layer.get());
  return layer;
}

}  // namespace ty
