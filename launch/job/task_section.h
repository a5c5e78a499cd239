// Section `task` of the job file: what a model is trained to do, and by which loss. Evaluation
// reports the plain loss of the task, without smoothing and further terms.
#pragma once

#include <cstdint>

#include "core/backend/options.h"
#include "core/config/fields.h"

namespace ty {

enum class TaskKind : std::uint8_t { causal_lm };

struct TaskSection {
  TaskKind kind = TaskKind::causal_lm;
  CrossEntropyTerms terms = {};
};

void fields(config::Fields& f, TaskSection& s);

}  // namespace ty
