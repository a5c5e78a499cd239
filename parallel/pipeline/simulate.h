// Runs a program in simulated time.
#pragma once

#include <cstdint>
#include <vector>

#include "parallel/pipeline/agenda.h"
#include "parallel/pipeline/timeline.h"

namespace ty {

// Seconds (or slots) that one micro-batch takes.
struct ActionCosts {
  double forward = 1.0, recompute = 1.0, backward = 2.0;
  double of(Action::Kind kind) const;
};

struct PipeCosts {
  std::vector<ActionCosts> virtual_stages;
  double message = 0.0;  // from the end of an action to the arrival of what it sends
  // Of each message besides: the absolute value of a normal number with this standard deviation,
  // drawn by (seed, message).
  double jitter = 0.0;
  std::uint64_t seed = 1;
};

// The same costs everywhere.
PipeCosts uniform_costs(const PipeShape& shape, const ActionCosts& costs = {});

// When a recomputation whose turn it is begins: at once; so that it ends as the gradient arrives,
// which keeps less alive; or once the gradient is here, as inside of a backward.
enum class RecomputeStart : std::uint8_t { eager, timely, lazy };

// `most_alive`: see Agenda. Throws ConfigError that names the stages that wait for each other, if
// the program has a deadlock.
Timeline simulate(const Program& program, const PipeCosts& costs,
                  ExecutionOrder order = ExecutionOrder::listed,
                  RecomputeStart recompute = RecomputeStart::eager, int most_alive = 0);

}  // namespace ty
