#include "models/linear/dense_weight.h"

#include "core/nn/flat_parameters.h"
#include "models/linear/base/linear.h"

namespace ty {

Matrix dense_weight(const LinearSpec& spec, const LinearShape& size,
                    const ParameterValues& values) {
  const auto backend = make_cpu_backend();
  ParameterStore store;
  LinearShape shape = size;
  shape.bias = false;
  const auto layer = make_linear(Scope(store), shape, spec, Split::none, {});
  const FlatParameters parameters(store, plan_flat_layout(store, 1, 1), *backend,
                                  {.compute = DType::f64, .weights = DType::f64});
  for (std::size_t i = 0; i < store.all().size(); ++i) {
    const Parameter& parameter = store.all()[i];
    backend->write(parameters.weight_of(i).view(), values(parameter.name, parameter.shape).data());
  }
  return Matrix(size.in, size.out, layer->dense_weight().values<double>());
}

}  // namespace ty
