// What the actions of a pipeline's stages took in a run, beside what simulation makes of it.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "parallel/comm/communicator.h"
#include "parallel/pipeline/simulate.h"

namespace ty {

// The bytes of a rank's memory at its fullest.
struct StagePeak {
  double predicted = 0.0, measured = 0.0;
};

// Of all stages of a pipeline.
struct PipelineTimes {
  PipeShape shape;
  std::int64_t steps = 0;
  PipeCosts costs;                  // measured, of each action
  double seconds = 0.0;             // of a step's actions, on the stage that took longest
  double predicted_seconds = 0.0;   // of the same, by simulation with these costs
  std::vector<double> bubbles;      // measured, by stage
  std::vector<double> predictions;  // of the same, simulated
  std::vector<StagePeak> peaks;     // by stage, of its rank in this pipeline
};

// Of one stage: mean times over the steps of a run, of which the first warms up and does not count.
class StageTimes {
 public:
  void begin_step();
  void add(const Span& span);
  void end_step();
  // Those of all stages; `peak`: of this one. A collective call of the pipeline. All zero if no
  // step counts.
  PipelineTimes gather(const StagePeak& peak, const Program& program, ExecutionOrder order,
                       const Group& pipeline) const;

 private:
  struct Sum {
    double seconds = 0.0, count = 0.0;
  };
  struct Step {
    double busy = 0.0;
    double seconds = 0.0;                     // from the step's begin to the end of the last action
    std::vector<std::array<Sum, 3>> actions;  // by chunk and kind
  };
  Step now_, all_;
  double began_ = 0.0;       // of the monotonic clock
  std::int64_t steps_ = -1;  // that count
};

}  // namespace ty
