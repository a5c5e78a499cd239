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
//   4. the next forward, if its activation is here and no more are alive then than may be,
//   5. recomputation of the next micro-batch, if no forward is left or may be alive.
enum class ExecutionOrder : std::uint8_t { listed, work_conserving };

class Agenda {
 public:
  // `program` must outlive this. `most_alive`: of micro-batches (of chunks) between forward and
  // backward, where messages decide; 0: as many as the program has there itself.
  Agenda(const Program& program, int stage, ExecutionOrder order, int most_alive = 0);

  bool is_finished() const;
  // Says whether a message that this stage receives is here.
  using HasArrived = std::function<bool(const Message&)>;
  // What to run now, if anything can run.
  std::optional<Action> next(const HasArrived& has_arrived) const;
  // Takes off what has been run.
  void done(const Action& action);
  // The program's actions that are left, in its order.
  const std::vector<Action>& left() const { return left_; }

 private:
  std::optional<Action> next_listed(const HasArrived& has_arrived) const;
  std::optional<Action> next_possible(const HasArrived& has_arrived) const;
  // Whether its message, if it wants one, is here.
  bool can_run(const Action& action, const HasArrived& has_arrived) const;
  bool is_left(Action::Kind kind, const Action& of) const;

  const Program* program_;
  int stage_;
  ExecutionOrder order_;
  std::vector<Action> left_;
  int alive_ = 0, most_alive_;        // micro-batches between forward and backward
  std::optional<Action> recomputed_;  // the backward whose recomputation came last
};

}  // namespace ty
