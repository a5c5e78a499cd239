#include "models/transformer/freezing.h"

#include <algorithm>
#include <utility>

#include "core/base/glob.h"
#include "models/linear/adapters.h"

namespace ty {

bool is_of_task(std::string_view parameter) {
  return parameter.starts_with("head.labels.") || parameter.starts_with("head.pooler.");
}

TrainedParameters::TrainedParameters(TrainingRules rules, const ParameterStore& whole)
    : rules_(std::move(rules)),
      has_adapters_(std::any_of(whole.all().begin(), whole.all().end(),
                                [](const Parameter& each) { return is_adapter(each.name); })) {}

bool TrainedParameters::contains(const std::string& name) const {
  if (matches_any(rules_.train, name)) return true;
  if (matches_any(rules_.freeze, name)) return false;
  return !has_adapters_ || is_adapter(name) || is_of_task(name);
}

void freeze_others(ParameterStore& store, const TrainedParameters& trained) {
  for (Parameter& parameter : store.all()) parameter.trainable = trained.contains(parameter.name);
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
