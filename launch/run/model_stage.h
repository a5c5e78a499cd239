// A model's part in one training step, as a pipeline's executor drives it: micro-batches of this
// rank's sequences, each kept alive from its forward to its backward.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "core/autograd/replay.h"
#include "core/backend/device_queue.h"
#include "models/objective/objective.h"
#include "models/transformer/model.h"
#include "parallel/data/gradient_reducer.h"
#include "parallel/pipeline/action.h"
#include "parallel/pipeline/stage.h"

namespace ty {

// What a step's micro-batches have in common.
struct StepContext {
  const HostBatch& batch;  // of all of them
  std::int64_t step = 0;
  std::uint64_t seed = 0;
  Recompute recompute = Recompute::none;
  std::function<double()> weight;  // of each target in the loss; asked for before backward only
};

class ModelStage final : public Stage {
 public:
  // All references must outlive this.
  ModelStage(const Model& model, const Objective& objective, FlatParameters& parameters,
             GradientReducer& reducer, const Program& program, const StepContext& context);

  std::vector<TensorForm> boundary(int virtual_stage, int micro_batch) const override;
  bool takes_gradient(int chunk) const override { return model_.has_backward(chunk); }
  Tensors forward(int chunk, int micro_batch, Tensors in) override;
  void recompute(int chunk, int micro_batch) override;
  Tensors backward(int chunk, int micro_batch, Tensors gradients) override;

 private:
  // Between forward and backward.
  struct InFlight {
    Batch batch;
    Flow in;   // nothing at the beginning of the chain; leaves if their gradients are sent back
    Flow out;  // undefined where it will be made again, or has no backward
    std::optional<Replay> replay;
  };
  using Key = std::pair<int, int>;  // chunk, micro-batch

  Range part(int micro_batch) const;
  Flow run(const InFlight& one, Flow in, int chunk) const;
  // Returns the gradients of what came in, undefined where there is none.
  Tensors send_back(int chunk, int micro_batch, InFlight& one, const Tensors& gradients);

  const Model& model_;
  const Objective& objective_;
  FlatParameters& parameters_;
  GradientReducer& reducer_;
  const Program& program_;
  const StepContext& context_;
  DeviceQueue* queue_;  // null: the backend's kernels run at once
  std::map<Key, InFlight> alive_;
  std::set<Key> replayed_;   // what the program computes again
  std::map<int, int> left_;  // backwards, by chunk
};

}  // namespace ty
