// Which parameters of a model are trained.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "models/transformer/block.h"

namespace ty {

// Patterns of parameter names (core/base/glob.h).
struct TrainingRules {
  std::vector<std::string> freeze = {};  // not trained
  std::vector<std::string> train = {};   // trained, whatever else is said
};

// What the rules come to for a model, of which a rank may have a part: all parameters but those
// that are frozen; where there are adapters, these and the layers to labels alone.
class TrainedParameters {
 public:
  // `whole`: the parameters of all blocks.
  TrainedParameters(TrainingRules rules, const ParameterStore& whole);
  bool contains(const std::string& name) const;

 private:
  TrainingRules rules_;
  bool has_adapters_;
};

// Whether a parameter belongs to what a task has of its own, so that a model that was trained for
// another one has it not: the layers to labels.
bool is_of_task(std::string_view parameter);

// Parameters that are not trained get no gradient and no optimizer state. To be called before they
// have memory.
void freeze_others(ParameterStore& store, const TrainedParameters& trained);

// The first block of a description that has a parameter that is trained; its size if none has.
// `whole`: the parameters of all blocks.
std::size_t first_trained_block(const ModelDescription& description, const ParameterStore& whole);

}  // namespace ty
