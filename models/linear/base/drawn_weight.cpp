#include "models/linear/base/drawn_weight.h"

#include "core/nn/flat_parameters.h"

namespace ty {

Matrix drawn_weight(const std::string& path, const LinearShape& shape, const LinearSpec& spec,
                    std::uint64_t seed) {
  const auto backend = make_cpu_backend();
  ParameterStore store;
  LinearShape no_bias = shape;
  no_bias.bias = false;
  const auto layer = make_linear(Scope(store, path), no_bias, spec, Split::none, {});
  FlatParameters parameters(store, plan_flat_layout(store, 1, 1), *backend,
                            {.compute = DType::f64, .weights = DType::f64, .gradients = false});
  parameters.initialise(seed);
  return Matrix(shape.in, shape.out, layer->dense_weight().contiguous().values<double>());
}

}  // namespace ty
