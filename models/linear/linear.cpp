#include "models/linear/linear.h"

#include "models/linear/dense.h"
#include "models/linear/svd.h"
#include "models/linear/ttm.h"

namespace ty {

namespace {

// One line per kind.
struct Factory {
  const Scope& scope;
  const LinearShape& shape;
  std::unique_ptr<Linear> operator()(const DenseSpec&) const {
    return std::make_unique<DenseLinear>(scope, shape);
  }
  std::unique_ptr<Linear> operator()(const TtmSpec& spec) const {
    return std::make_unique<TtmLinear>(scope, shape, spec);
  }
  std::unique_ptr<Linear> operator()(const SvdSpec& spec) const {
    return std::make_unique<SvdLinear>(scope, shape, spec);
  }
};

}  // namespace

std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape,
                                    const LinearSpec& spec, Split) {
  return std::visit(Factory{scope, shape}, spec);
}

}  // namespace ty
