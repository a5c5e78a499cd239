#include "models/huggingface/peft/peft_modules.h"

#include <array>

#include "core/base/error.h"

namespace ty {

namespace {

constexpr std::string_view kWeight = ".weight";

std::string module_of(const std::string& tensor) {
  TY_CHECK(tensor.ends_with(kWeight), "{} is no weight", tensor);
  return tensor.substr(0, tensor.size() - kWeight.size());
}

}  // namespace

View PeftModule::columns_of(const View& b) const {
  View own = place ? place(b) : b;
  if (!keeps_order) return own;
  for (int dim = 0; dim + 1 < own.rank(); ++dim) own = own.transpose(dim, dim + 1);
  return own;
}

std::vector<PeftModule> peft_modules(const ModelSpec& spec, const LinearSite& site) {
  const Family& family = family_of(spec);
  const std::string weight = site.path + std::string(kWeight);
  // Of a matrix whose sides can be told apart.
  const std::int64_t rows = site.shape.out + 1;
  std::vector<PeftModule> modules;
  for (StoredPart& part : family.parts(spec, weight, {rows, site.shape.out})) {
    PeftModule module = {.names = {}, .keeps_order = part.shape[0] == rows, .place = part.place};
    for (const std::string& name : part.names) module.names.push_back(module_of(name));
    module.out = part.shape[module.keeps_order ? 1 : 0];
    modules.push_back(std::move(module));
  }
  return modules;
}

}  // namespace ty
