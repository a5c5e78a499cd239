// Gradients of all ranks: each is summed over the axes along which its parameter's placement says
// that ranks hold partial sums, bucket by bucket, while backward is still running: along data
// alone, or (gains of norms, whole layers) over data x tensor at once. What is partial along
// pipeline, a tied table, waits for finish(): there it is summed over its stages first (canonical
// sums: last), and a stage that waited for another one inside of backward could be the one that the
// other waits for.
//
// ZeRO-1 (Rajbhandari et al., arXiv 1910.02054): each rank updates one shard of every bucket only,
// so optimizer state is divided by the number of ranks that sum the bucket up; updated weights are
// gathered afterwards.
// A group of one rank runs the same code and communicates with itself, that is, not at all.
//
// Collective order: buckets start in the order in which backward completes them. The graph is built
// by the same program on every rank of a stage, hence the order is the same; what no gradient
// reached is started in finish(), in bucket order.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/autograd/backward.h"
#include "core/nn/flat_parameters.h"
#include "core/tensor/late_item.h"
#include "parallel/comm/communicator.h"
#include "parallel/comm/tree.h"
#include "parallel/data/reduction.h"

namespace ty {

struct ReducerOptions {
  bool shard_optimizer = false;  // ZeRO-1
  Reduction reduction = Reduction::fast;
};

// The ranks that differ from this one along one axis only. The reducer sends numbers over these and
// tensors over the same ranks' groups on the parameters' backend.
struct AxisGroups {
  Group data = {}, tensor = {}, pipeline = {};
  Group stage = {};  // all of data x tensor: sums over both at once
  Group ends = {};   // the first and the last stage: both hold a tied table
};

// A sum over ranks under way.
class PendingSum {
 public:
  // Blocks until the sum is there and returns it, every time anew.
  double wait() {
    work_.wait();
    return *value_;
  }

 private:
  friend class GradientReducer;
  PendingSum(const Group& group, double value)
      : value_(std::make_unique<double>(value)),
        work_(group.all_reduce(contiguous_view(value_.get(), DType::f64, {1}), ReduceOp::sum)) {}

  std::unique_ptr<double> value_;
  Work work_;
};

// The sum of a step's losses under way: on the device first, then from its stage to the others.
class PendingLoss {
 public:
  // Blocks until it is there. Once, and on all ranks of the pipeline alike.
  double wait();

 private:
  friend class GradientReducer;
  PendingLoss(const Group& pipeline, std::optional<LateItem> own)
      : pipeline_(pipeline), own_(std::move(own)) {}

  Group pipeline_;               // of host memory
  std::optional<LateItem> own_;  // the last stage's
};

// What a step's update depends on, fp64 [1] each, on the backend and the same on all ranks.
struct StepSums {
  Tensor loss;     // as sum_losses()
  Tensor squares;  // of the whole model's gradient: the square of gradient_norm()
};

class GradientReducer {
 public:
  // A collective call of each of the groups.
  GradientReducer(FlatParameters& parameters, AxisGroups groups, ReducerOptions options);

  // What this rank's optimizer updates.
  const std::vector<Piece>& owned_pieces() const { return pieces_; }
  // Before the first backward() of a step of so many micro-batches.
  void begin_step(std::int64_t micro_batches);
  // What a backward() must be given. `last`: no further one reaches the leaves that it reaches.
  BackwardOptions backward_options(bool last);
  // To be called after backward() of each micro-batch, in any order.
  void micro_batch_done(std::int64_t index);
  // Waits until the owned pieces of the gradient buffer hold the global sum.
  void finish();
  // L2 norm of the whole model's gradient; every element counted once. Canonical, it has the same
  // bits in every layout. After finish().
  double gradient_norm();
  // Brings the weights that other ranks updated. After the optimizer's step.
  void share_weights();
  // Completes the optimizer's weights on every rank, where the model reads a copy in another dtype
  // and share_weights() brings only that. Before saving.
  void gather_weights();
  // " (first in NAME)" for the first parameter whose gradient is not finite, after finish().
  std::string first_non_finite() const;
  // Adds the loss [1] of a micro-batch to the step's, in the gradients' order. The sum stays on the
  // backend: nothing waits for it.
  void add_loss(std::int64_t index, const Tensor& loss);
  // The sum over micro-batches and data ranks, after the last add_loss(): the one read of a step's
  // losses. The last stage of a pipeline, which alone has them, tells the others.
  PendingLoss start_losses();
  double sum_losses() { return start_losses().wait(); }
  // Both sums for a step that the host does not wait for, instead of gradient_norm() and
  // sum_losses(). Of fast sums alone: canonical ones are added up on the host.
  StepSums sums_on_device();
  bool has_sums_on_device() const { return options_.reduction == Reduction::fast; }
  // Sum of whole numbers (counts, flags) over all data ranks; under way until it is asked for.
  PendingSum start_sum(double value);
  double sum_over_ranks(double value) { return start_sum(value).wait(); }

 private:
  void start(std::size_t bucket);
  // What this rank adds to the norm, parameter by parameter.
  std::vector<Piece> counted_pieces() const;
  bool is_sharded() const;
  // Of the whole batch's gradients, from the sums of this rank's micro-batches.
  void sum_canonically();
  double fast_norm();
  double canonical_norm();
  // What fast sums of squares are taken of, on this rank: pieces that lie side by side together.
  std::vector<Tensor> counted_parts() const;
  // This stage's loss over the data ranks; the last stage of a pipeline has one.
  Tensor total_loss();
  void sum_over_ends(const Bucket& bucket);
  void gather(const Tensor& flat);
  // The ranks that sum a bucket's gradients up while backward runs, and (ZeRO-1) divide it.
  const Group& group_of(const Bucket& bucket) const;
  Range shard_of(const Bucket& bucket) const;
  // Of these pieces, which this rank counts.
  std::vector<Piece> marked(std::vector<Piece> pieces, bool sharded) const;

  struct Pending {
    std::size_t bucket;
    Tensor shard;  // ZeRO-1: where the sum arrives
    Work work;
  };

  FlatParameters* parameters_;
  AxisGroups groups_;  // of host memory
  // Of the backend's memory, made in this order.
  Group data_, tensor_, ends_, stage_, pipeline_;
  ReducerOptions options_;
  std::vector<Piece> pieces_;
  std::unordered_map<const Leaf*, std::size_t> bucket_of_;
  std::vector<int> waiting_;   // per bucket: parameters backward has not completed
  std::vector<bool> started_;  // per bucket
  std::vector<Pending> pending_;
  std::int64_t micro_batches_ = 0;               // of the step
  std::optional<TreeSum<Tensor>> partial_sums_;  // canonical: of whole gradients
  std::optional<TreeSum<Tensor>> losses_;        // fp64 [1]; until the first, none
};

}  // namespace ty
