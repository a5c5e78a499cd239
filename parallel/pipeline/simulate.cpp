#include "parallel/pipeline/simulate.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "core/base/random.h"

namespace ty {

double ActionCosts::of(Action::Kind kind) const {
  switch (kind) {
    case Action::Kind::forward:
      return forward;
    case Action::Kind::recompute:
      return recompute;
    case Action::Kind::backward:
      return backward;
  }
  return 0.0;
}

PipeCosts uniform_costs(const PipeShape& shape, const ActionCosts& costs) {
  PipeCosts all;
  all.virtual_stages.assign(static_cast<std::size_t>(shape.virtual_stages()), costs);
  return all;
}

namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

// Time goes from one end of an action, or arrival of a message, to the next; at each moment every
// stage that is free is asked for what it can do.
class Simulation {
 public:
  Simulation(const Program& program, const PipeCosts& costs, ExecutionOrder order,
             RecomputeStart recompute, int most_alive)
      : program_(program),
        costs_(costs),
        recompute_(recompute),
        jitter_(costs.seed, site_id("pipeline.jitter")),
        timeline_{program.shape, {}},
        arrivals_(static_cast<std::size_t>(2 * program.shape.virtual_stages() *
                                           program.shape.micro_batches),
                  kNever),
        last_arrivals_(static_cast<std::size_t>(2 * program.shape.virtual_stages()), 0.0) {
    for (int stage = 0; stage < program.shape.stages; ++stage) {
      agendas_.emplace_back(program, stage, order, most_alive);
      free_at_.push_back(0.0);
    }
    timeline_.stages.resize(agendas_.size());
  }

  Timeline run() {
    while (true) {
      while (begin_what_can() && recompute_ == RecomputeStart::timely) {
      }  // until all know when gradients will come
      const auto next = std::upper_bound(moments_.begin(), moments_.end(), now_);
      if (next == moments_.end()) break;
      now_ = *next;
      moments_.erase(moments_.begin(), next);
    }
    check_all_done();
    return std::move(timeline_);
  }

 private:
  std::size_t index_of(const Message& m) const {
    return static_cast<std::size_t>(channel_of(m, program_.shape) * program_.shape.micro_batches +
                                    m.micro_batch);
  }
  bool has_arrived(const Message& m) const { return arrivals_[index_of(m)] <= now_; }

  // When an action may begin as far as recompute_ goes; kNever: not known yet.
  double earliest(const Action& action, int stage) const {
    if (recompute_ == RecomputeStart::eager || action.kind != Action::Kind::recompute) return now_;
    Action backward = action;
    backward.kind = Action::Kind::backward;
    const auto gradient = received_by(backward, stage, program_.shape);
    if (!gradient) return now_;
    const double arrival = arrivals_[index_of(*gradient)];
    return recompute_ == RecomputeStart::lazy ? arrival : arrival - seconds_of(action, stage);
  }

  double seconds_of(const Action& action, int stage) const {
    const int virtual_stage = program_.shape.virtual_stage(stage, action.chunk);
    return costs_.virtual_stages[static_cast<std::size_t>(virtual_stage)].of(action.kind);
  }

  // Whether any stage began something.
  bool begin_what_can() {
    bool any = false;
    for (std::size_t s = 0; s < agendas_.size(); ++s) {
      if (free_at_[s] <= now_ && begin_next(s)) any = true;
    }
    return any;
  }

  bool begin_next(std::size_t s) {
    const int stage = static_cast<int>(s);
    const auto action = agendas_[s].next([this](const Message& m) { return has_arrived(m); });
    if (!action) return false;
    if (const double begin = earliest(*action, stage); begin > now_) {
      if (begin < kNever) add_moment(begin);
      return false;
    }
    agendas_[s].done(*action);
    const double end = now_ + seconds_of(*action, stage);
    timeline_.stages[s].push_back({*action, now_, end});
    free_at_[s] = end;
    add_moment(end);
    if (const auto message = sent_by(*action, stage, program_.shape)) {
      const double sent = end + costs_.message + jitter_of(index_of(*message));
      double& last = last_arrivals_[static_cast<std::size_t>(channel_of(*message, program_.shape))];
      const double arrival = last = std::max(last, sent);
      arrivals_[index_of(*message)] = arrival;
      add_moment(arrival);
    }
    return true;
  }

  double jitter_of(std::size_t message) const {
    return costs_.jitter == 0.0 ? 0.0 : costs_.jitter * std::abs(normal(jitter_, message, 0));
  }

  void add_moment(double time) {
    moments_.insert(std::upper_bound(moments_.begin(), moments_.end(), time), time);
  }

  void check_all_done() const {
    for (std::size_t s = 0; s < agendas_.size(); ++s) {
      if (agendas_[s].is_finished()) continue;
      throw ConfigError("stage {} never gets what {} needs: stages wait for each other", s + 1,
                        to_string(agendas_[s].left().front(), program_.shape));
    }
  }

  const Program& program_;
  const PipeCosts& costs_;
  RecomputeStart recompute_;
  RandomStream jitter_;
  Timeline timeline_;
  std::vector<double> arrivals_;       // of each message, known as soon as it is being made
  std::vector<double> last_arrivals_;  // of each channel, whose messages keep their order
  std::vector<Agenda> agendas_;
  std::vector<double> free_at_;
  std::vector<double> moments_;  // to come, in order
  double now_ = 0.0;
};

}  // namespace

Timeline simulate(const Program& program, const PipeCosts& costs, ExecutionOrder order,
                  RecomputeStart recompute, int most_alive) {
  return Simulation(program, costs, order, recompute, most_alive).run();
}

}  // namespace ty
