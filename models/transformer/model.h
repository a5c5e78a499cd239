// Model: the blocks that one stage of a pipeline has of a model description (all of them, without a
// pipeline), and their parameters.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "models/transformer/block.h"
#include "models/transformer/partition.h"

namespace ty {

// What is computed again in backward instead of being kept. selective: all inside of a block but
// the results of its linear layers and of attention. block: all inside of it. stage: all that a
// stage of a pipeline does with a micro-batch, of which it keeps what it receives; the last stage,
// whose backward follows at once, keeps everything.
enum class Recompute : std::uint8_t { none, selective, block, stage };
// How long linear layers keep what they have made once (W of a tensor train): within a pass, or
// over the micro-batches of a step.
enum class WeightReuse : std::uint8_t { pass, step };

class Model {
 public:
  // Builds a stage's blocks of a description, whose layers are shared as `sharing` says. Parameters
  // are declared, without memory yet. What several stages hold (a table to which the head is tied)
  // has gradients that are partial along the pipeline, and counts on the stage that owns it.
  // `observer`, if there is one, watches linear layers and must outlive the model.
  Model(const ModelDescription& description, const LinearRules& rules, const Sharing& sharing,
        const Partition& partition, int stage, LinearObserver* observer = nullptr);
  // All blocks.
  Model(const ModelDescription& description, const LinearRules& rules, const Sharing& sharing = {},
        LinearObserver* observer = nullptr)
      : Model(description, rules, sharing, one_stage(description.size()), 0, observer) {}

  // Runs the blocks of a chunk in order; `in` is what the blocks before them returned. With
  // Recompute::block each recomputable block keeps only its input. After the last block, what
  // readout() takes.
  Flow forward(const ForwardContext& context, Recompute recompute = Recompute::none, Flow in = {},
               int chunk = 0) const;
  // The shapes of what flows into a virtual stage (parallel/pipeline/action.h), or (next one) into
  // any block, for a batch of so many sequences; of the columns that it has.
  std::vector<Shape> shapes_entering(int virtual_stage, std::int64_t sequences,
                                     const LengthOf& length_of) const;
  std::vector<Shape> shapes_entering_block(std::size_t block, std::int64_t sequences,
                                           const LengthOf& length_of) const;
  // What flows into a chunk of this stage.
  Flow flow_into(int chunk, std::span<const Tensor> tensors) const {
    return Flow::of(tensors, latents_[blocks(chunk).first]);
  }
  // Whether this stage has the last block.
  bool has_readout() const { return readout_ != nullptr; }
  // The last block's, which this stage has: of all of forward()'s rows, or of some.
  const Readout& readout() const;

  int stage() const { return stage_; }
  int stages() const { return partition_.stages; }
  int chunks() const { return partition_.chunks(); }
  // Of its description, those that a chunk of this stage has.
  const BlockRange& blocks(int chunk) const { return partition_.of(stage_, chunk); }

  // A batch's B T is a multiple of it: the number of ranks that share rows.
  std::int64_t row_multiple() const { return sharing_.has_own_rows() ? sharing_.ranks() : 1; }

  ParameterStore& parameters() { return *store_; }
  const ParameterStore& parameters() const { return *store_; }
  // All linear layers in order, and what they are made of: what rules can match.
  const std::vector<LinearSite>& linear_sites() const { return sites_; }

  // Blocks of the description before this one take no part in backward: nothing is trained up to
  // them. By default all take part.
  void set_first_trained(std::size_t block) { first_trained_ = block; }
  // Whether backward reaches the blocks of a chunk, and whether it goes on to those before them.
  bool has_backward(int chunk) const { return blocks(chunk).last > first_trained_; }
  bool sends_back(int chunk) const { return blocks(chunk).first > first_trained_; }

  // Around the micro-batches of one optimizer step; see Linear.
  void begin_step();
  void end_step();

 private:
  struct Entry {
    std::unique_ptr<Block> block;
    bool recomputable;
  };
  void place_shared(const ModelDescription& description);
  // The latents that cross borders, of which all stages must know.
  void find_latents(const ModelDescription& description, const LinearRules& rules);

  std::vector<std::vector<Column>> flows_;        // into each block of the description
  std::vector<std::vector<LatentForm>> latents_;  // into each block, and out of the last
  Partition partition_;
  int stage_;
  std::size_t first_trained_ = 0;  // block of the description
  std::int64_t width_;
  Sharing sharing_;
  std::unique_ptr<ParameterStore> store_ = std::make_unique<ParameterStore>();
  std::vector<LinearSite> sites_;
  std::vector<Linear*> layers_;
  std::vector<std::vector<Entry>> chunks_;
  const Readout* readout_ = nullptr;  // the last of them, if it is the model's last
};

}  // namespace ty
