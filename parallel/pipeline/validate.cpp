#include "parallel/pipeline/validate.h"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "core/base/error.h"
#include "parallel/pipeline/simulate.h"

namespace ty {

namespace {

using Kind = Action::Kind;

// Where a stage's list has the actions of one micro-batch of one chunk; -1: nowhere.
struct Places {
  std::array<int, 3> at = {-1, -1, -1};  // by kind
  int forward() const { return at[0]; }
  int recompute() const { return at[1]; }
  int backward() const { return at[2]; }
};

class StageCheck {
 public:
  StageCheck(const Program& program, int stage) : shape_(program.shape), stage_(stage) {
    const auto& actions = program.stages[static_cast<std::size_t>(stage)];
    for (std::size_t i = 0; i < actions.size(); ++i) add(actions[i], static_cast<int>(i));
  }

  void check_complete() const {
    for (int chunk = 0; chunk < shape_.chunks; ++chunk) {
      for (int m = 0; m < shape_.micro_batches; ++m) check_complete(chunk, m);
    }
  }

 private:
  void add(const Action& action, int at) {
    if (action.chunk >= shape_.chunks || action.micro_batch >= shape_.micro_batches) {
      fail(action, fmt::format("there are {} chunks and {} micro-batches", shape_.chunks,
                               shape_.micro_batches));
    }
    int& place =
        places_[{action.chunk, action.micro_batch}].at[static_cast<std::size_t>(action.kind)];
    if (place >= 0) fail(action, "it is there twice");
    place = at;
  }

  void check_complete(int chunk, int m) const {
    const auto found = places_.find({chunk, m});
    const Places places = found == places_.end() ? Places() : found->second;
    if (places.forward() < 0) fail({Kind::forward, chunk, m}, "it is missing");
    if (places.backward() < 0) fail({Kind::backward, chunk, m}, "it is missing");
    if (places.backward() < places.forward()) {
      fail({Kind::backward, chunk, m}, "it comes before its forward");
    }
    if (places.recompute() < 0) return;
    const Action recompute = {Kind::recompute, chunk, m};
    if (places.recompute() < places.forward() || places.recompute() > places.backward()) {
      fail(recompute, "it is not between its forward and its backward");
    }
  }

  [[noreturn]] void fail(const Action& action, const std::string& why) const {
    throw ConfigError("stage {}: {}: {}", stage_ + 1, to_string(action, shape_), why);
  }

  const PipeShape& shape_;
  int stage_;
  std::map<std::pair<int, int>, Places> places_;
};

// The micro-batches of each channel's messages, in the order of one end's list.
using Channels = std::map<int, std::vector<int>>;

void check_channels(const Program& program) {
  Channels sent, received;
  for (int stage = 0; stage < program.shape.stages; ++stage) {
    for (const Action& action : program.stages[static_cast<std::size_t>(stage)]) {
      if (const auto m = sent_by(action, stage, program.shape)) {
        sent[channel_of(*m, program.shape)].push_back(m->micro_batch);
      }
      if (const auto m = received_by(action, stage, program.shape)) {
        received[channel_of(*m, program.shape)].push_back(m->micro_batch);
      }
    }
  }
  for (const auto& [channel, order] : sent) {
    const std::vector<int>& wanted = received[channel];
    const auto [a, b] = std::mismatch(order.begin(), order.end(), wanted.begin(), wanted.end());
    if (a == order.end() && b == wanted.end()) continue;
    const bool is_gradient = channel >= program.shape.virtual_stages();
    const int to = channel % program.shape.virtual_stages();
    throw ConfigError(
        "stage {}: wants the {} of micro-batch {}, where {} is sent; both stages must "
        "run micro-batches in one order",
        stage_of(to, program.shape) + 1, is_gradient ? "gradient" : "activation", *b + 1, *a + 1);
  }
}

// Counts up where `begins` says so and down after each backward.
template <typename Begins>
int peak(const Program& program, int stage, Begins begins) {
  int now = 0, most = 0;
  for (const Action& action : program.stages[static_cast<std::size_t>(stage)]) {
    if (begins(action)) most = std::max(most, ++now);
    if (action.kind == Kind::backward) --now;
  }
  return most;
}

}  // namespace

void validate(const Program& program) {
  for (int stage = 0; stage < program.shape.stages; ++stage) {
    StageCheck(program, stage).check_complete();
  }
  check_channels(program);
  simulate(program, uniform_costs(program.shape));
}

int peak_alive(const Program& program, int stage) {
  return peak(program, stage, [](const Action& a) { return a.kind == Kind::forward; });
}

int peak_full(const Program& program, int stage) {
  const auto& actions = program.stages[static_cast<std::size_t>(stage)];
  return peak(program, stage, [&](const Action& a) {
    if (a.kind == Kind::recompute) return true;
    const Action again = {Kind::recompute, a.chunk, a.micro_batch};
    return a.kind == Kind::forward &&
           std::find(actions.begin(), actions.end(), again) == actions.end();
  });
}

}  // namespace ty
