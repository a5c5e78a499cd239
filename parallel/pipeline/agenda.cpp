#include "parallel/pipeline/agenda.h"

#include <algorithm>

#include "core/base/error.h"
#include "parallel/pipeline/validate.h"

namespace ty {

namespace {

using Kind = Action::Kind;

}  // namespace

Agenda::Agenda(const Program& program, int stage, ExecutionOrder order, int most_alive)
    : program_(&program),
      stage_(stage),
      order_(order),
      left_(program.stages[static_cast<std::size_t>(stage)]),
      most_alive_(most_alive > 0 ? most_alive : peak_alive(program, stage)) {}

bool Agenda::is_finished() const { return left_.empty(); }

bool Agenda::is_left(Kind kind, const Action& of) const {
  const Action wanted = {kind, of.chunk, of.micro_batch};
  return std::find(left_.begin(), left_.end(), wanted) != left_.end();
}

std::optional<Action> Agenda::next(const HasArrived& has_arrived) const {
  if (left_.empty()) return std::nullopt;
  return order_ == ExecutionOrder::listed ? next_listed(has_arrived) : next_possible(has_arrived);
}

bool Agenda::can_run(const Action& action, const HasArrived& has_arrived) const {
  const std::optional<Message> message = received_by(action, stage_, program_->shape);
  return !message || has_arrived(*message);
}

std::optional<Action> Agenda::next_listed(const HasArrived& has_arrived) const {
  if (can_run(left_.front(), has_arrived)) return left_.front();
  return std::nullopt;
}

// Forwards keep the program's order among themselves, and so do backwards: gradients add up in it,
// and no choice can end in a deadlock. For of all actions that are left, one comes first in an
// order in which the whole program runs; what it needs has been done, and no rule keeps it from
// running.
std::optional<Action> Agenda::next_possible(const HasArrived& has_arrived) const {
  const auto backward = std::find_if(left_.begin(), left_.end(),
                                     [](const Action& a) { return a.kind == Kind::backward; });
  TY_CHECK(backward != left_.end(), "a program ends with something else than a backward");
  const bool is_forward_done = !is_left(Kind::forward, *backward);
  const bool wants_recompute = is_left(Kind::recompute, *backward);
  const bool has_gradient = can_run(*backward, has_arrived);
  const Action recompute = {Kind::recompute, backward->chunk, backward->micro_batch};
  if (is_forward_done && !wants_recompute) {
    if (has_gradient) return *backward;
    if (recomputed_ == *backward) return std::nullopt;
  }
  if (is_forward_done && wants_recompute && has_gradient) return recompute;
  const auto forward = std::find_if(left_.begin(), left_.end(),
                                    [](const Action& a) { return a.kind == Kind::forward; });
  if (forward == left_.end() || alive_ >= most_alive_) {
    return is_forward_done && wants_recompute ? std::optional(recompute) : std::nullopt;
  }
  return can_run(*forward, has_arrived) ? std::optional(*forward) : std::nullopt;
}

void Agenda::done(const Action& action) {
  const auto found = std::find(left_.begin(), left_.end(), action);
  TY_CHECK(found != left_.end(), "{} is not on the agenda", to_string(action, program_->shape));
  left_.erase(found);
  if (action.kind == Kind::forward) ++alive_;
  if (action.kind == Kind::backward) --alive_;
  recomputed_.reset();
  if (action.kind == Kind::recompute) {
    recomputed_ = {Kind::backward, action.chunk, action.micro_batch};
  }
}

}  // namespace ty
