// Agenda: which action a free stage runs next. The executor and the simulator ask the same one.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "parallel/pipeline/messages.h"

namespace ty {

// listed: as the program says. work_conserving (Varuna: Athlur et al., EuroSys 2022): the program
// is a hint; a stage whose next message has not arrived runs what it can:
//   1. backward of a micro-batch that is recomputed and whose gradient is here,
//   2. nothing, if one is recomputed and its gradient is not here (one full set of activations at
//      most),
//   3. recomputation of a micro-batch whose gradient is here,
//   4. the next forward whose activation is here, if no more than the program's own most are alive,
//   5. recomputation of the next micro-batch, if no forward is left.
enum class Execution : std::uint8_t { listed, work_conserving };

class Agenda {
 public:
  // `program` must outlive this.
  Agenda(const Program& program, int stage, Execution execution);

  bool is_finished() const;
  // What to run now, if anything can run. `has_arrived` says whether a message that this stage
  // receives is here.
  std::optional<Action> next(const std::function<bool(const Message&)>& has_arrived) const;
  // Takes off what has been run.
  void done(const Action& action);
  // The program's actions that are left, in its order.
  const std::vector<Action>& left() const { return left_; }

 private:
  const Program* program_;
  int stage_;
  Execution execution_;
  std::vector<Action> left_;
};

}  // namespace ty
