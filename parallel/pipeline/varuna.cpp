// Varuna's static schedule (Athlur et al., EuroSys 2022). Time goes in slots: F and R take one, B
// takes two. In every slot each stage serves the first entry of the first queue that has one:
//
//   second halves of B  >  B  >  R  >  F
//
// and what that makes possible is queued for the next slot. A stage may recompute while the one
// after it is half-way through the backward, so that R ends as the gradient arrives.
#include <array>
#include <deque>
#include <optional>

#include "parallel/pipeline/schedules.h"

namespace ty {

namespace {

enum Queue : std::size_t { second_half, backward, recompute, forward, kQueues };

struct Pick {
  Queue queue;
  int micro_batch;
};

struct Slots {
  std::array<std::deque<int>, kQueues> queues;

  std::optional<Pick> take() {
    for (std::size_t q = 0; q < kQueues; ++q) {
      if (queues[q].empty()) continue;
      const int m = queues[q].front();
      queues[q].pop_front();
      return Pick{static_cast<Queue>(q), m};
    }
    return std::nullopt;
  }
  void add(Queue queue, int micro_batch) { queues[queue].push_back(micro_batch); }
};

class Generator {
 public:
  explicit Generator(const PipeShape& shape)
      : program_{shape, std::vector<std::vector<Action>>(static_cast<std::size_t>(shape.stages))},
        stages_(program_.stages.size()) {
    for (int m = 0; m < shape.micro_batches; ++m) stages_[0].add(forward, m);
  }

  Program run() {
    while (slot()) {
    }
    return std::move(program_);
  }

 private:
  // False if no stage had anything to do.
  bool slot() {
    std::vector<std::optional<Pick>> picks;
    for (Slots& stage : stages_) picks.push_back(stage.take());
    bool any = false;
    for (std::size_t s = 0; s < picks.size(); ++s) {
      if (!picks[s]) continue;
      any = true;
      record(s, *picks[s]);
      queue_effects(s, *picks[s]);
    }
    return any;
  }

  void record(std::size_t s, const Pick& pick) {
    if (pick.queue == second_half) return;
    const Action::Kind kind = pick.queue == forward     ? Action::Kind::forward
                              : pick.queue == recompute ? Action::Kind::recompute
                                                        : Action::Kind::backward;
    program_.stages[s].push_back({kind, 0, pick.micro_batch});
  }

  void queue_effects(std::size_t s, const Pick& pick) {
    const int m = pick.micro_batch;
    const bool recomputes = program_.shape.recompute;
    const bool is_last = s + 1 == stages_.size();
    switch (pick.queue) {
      case forward:
        return is_last ? stages_[s].add(backward, m) : stages_[s + 1].add(forward, m);
      case recompute:
        return stages_[s].add(backward, m);
      case backward:
        stages_[s].add(second_half, m);
        if (recomputes && s > 0) stages_[s - 1].add(recompute, m);
        return;
      case second_half:
        if (!recomputes && s > 0) stages_[s - 1].add(backward, m);
        return;
      case kQueues:
        return;
    }
  }

  Program program_;
  std::vector<Slots> stages_;
};

}  // namespace

Program varuna(const PipeShape& shape) { return Generator(shape).run(); }

}  // namespace ty
