#include "models/linear/linear.h"

#include "models/linear/dense.h"

namespace ty {

namespace {

// One line per kind.
struct Factory {
  const Scope& scope;
  const LinearShape& shape;
  std::unique_ptr<Linear> operator()(const DenseSpec&) const {
    return std::make_unique<Dense>(scope, shape);
  }
};

}  // namespace

std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape,
                                    const LinearSpec& spec, Split) {
  return std::visit(Factory{scope, shape}, spec);
}

}  // namespace ty
