// Runs a stage's part of a program: any schedule, on any number of stages, one of them included.
//
//   agenda -> next action -> its message from the inbox -> Stage -> its message to the outbox
#pragma once

#include <functional>

#include "parallel/comm/communicator.h"
#include "parallel/pipeline/agenda.h"
#include "parallel/pipeline/stage.h"
#include "parallel/pipeline/timeline.h"

namespace ty {

// What the first rank of a team sends per action where it decides for all.
inline constexpr std::int64_t kChoiceBytes = 24;

struct ExecutorOptions {
  ExecutionOrder order = ExecutionOrder::listed;
  // The ranks that share the stage's layers: they must run the same actions in the same order, so
  // where messages decide which, the first of them decides for all.
  Group team = {};
  // Called after each action, in seconds of the system's monotonic clock.
  std::function<void(const Span&)> on_span = {};
};

// Runs the program of stage pipeline.rank(); a collective call of the pipeline, whose group is on
// the backend. Returns when all that it sends has arrived. A CommError says where in its program
// the stage was.
void execute(const Program& program, Stage& stage, const Group& pipeline, Backend& backend,
             const ExecutorOptions& options = {});

}  // namespace ty
