#include "models/transformer/block.h"

namespace ty {

std::unique_ptr<Linear> BlockContext::make_linear(std::string_view name, const LinearShape& shape,
                                                  Split split) const {
  const Scope place = scope.child(name);
  if (linear_paths != nullptr) linear_paths->push_back(place.path());
  return ty::make_linear(place, shape, linear.resolve(place.path()), split);
}

}  // namespace ty
