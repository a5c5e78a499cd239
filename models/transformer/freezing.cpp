#include "models/transformer/freezing.h"

#include <algorithm>

#include "core/base/glob.h"

namespace ty {

void freeze(ParameterStore& store, const std::vector<std::string>& patterns) {
  for (Parameter& parameter : store.all()) {
    if (matches_any(patterns, parameter.name)) parameter.trainable = false;
  }
}

// What a block reads of another one counts where it is declared.
std::size_t first_trained_block(const ModelDescription& description, const ParameterStore& whole) {
  const auto& all = whole.all();
  const auto found =
      std::find_if(description.blocks.begin(), description.blocks.end(), [&](const auto& block) {
        return std::any_of(all.begin(), all.end(), [&](const Parameter& parameter) {
          return parameter.trainable && parameter.name.starts_with(block.name + ".");
        });
      });
  return static_cast<std::size_t>(found - description.blocks.begin());
}

}  // namespace ty
