#include "models/linear/spec.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/glob.h"

namespace ty {

std::string_view kind_name(const LinearSpec& spec) {
  static constexpr std::string_view kNames[] = {"dense"};
  static_assert(std::size(kNames) == std::variant_size_v<LinearSpec>);
  return kNames[spec.index()];
}

const LinearSpec& LinearRules::resolve(std::string_view path) const {
  static const LinearSpec kDense = DenseSpec{};
  const LinearSpec* found = &kDense;
  for (const LinearRule& rule : rules_) {
    if (glob_match(rule.match, path)) found = &rule.spec;
  }
  return *found;
}

void LinearRules::check_all_used(const std::vector<std::string>& paths) const {
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const bool used = std::any_of(paths.begin(), paths.end(), [&](const std::string& path) {
      return glob_match(rules_[i].match, path);
    });
    if (!used) {
      throw ConfigError("linear[{}].match: \"{}\" matches no linear map; there are: {}", i,
                        rules_[i].match, fmt::join(paths, ", "));
    }
  }
}

}  // namespace ty
