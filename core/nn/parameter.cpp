#include "core/nn/parameter.h"

#include "core/base/error.h"

namespace ty {

Parameter& ParameterStore::declare(std::string name, Shape shape, Init init, Placement placement) {
  TY_CHECK(find(name) == nullptr, "parameter '{}' is declared twice", name);
  parameters_.push_back(Parameter{std::move(name), shape, std::move(init), placement, true, false,
                                  Tensor(), Tensor()});
  by_name_.emplace(parameters_.back().name, &parameters_.back());
  return parameters_.back();
}

Parameter* ParameterStore::find(std::string_view name) {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

const Parameter* ParameterStore::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

std::int64_t ParameterStore::count() const {
  std::int64_t total = 0;
  for (const Parameter& parameter : parameters_) total += parameter.shape.numel();
  return total;
}

std::string Scope::join(std::string_view name) const {
  return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
}

}  // namespace ty
