// Model: the blocks of one rank's range of a model description, and their parameters.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/transformer/block.h"

namespace ty {

// What is computed again in backward instead of being kept. selective: all inside of a block but
// the results of its linear layers and of attention. block: all inside of it.
enum class Recompute : std::uint8_t { none, selective, block };
// How long linear layers keep what they have made once (W of a tensor train): within a pass, or
// over the micro-batches of a step.
enum class WeightReuse : std::uint8_t { pass, step };

class Model {
 public:
  // Builds blocks [first, last) of a description, whose layers are shared as `sharing` says.
  // Parameters are declared, without memory yet.
  Model(const ModelDescription& description, const LinearRules& rules, const Sharing& sharing,
        std::size_t first, std::size_t last);
  // All blocks.
  Model(const ModelDescription& description, const LinearRules& rules, const Sharing& sharing = {})
      : Model(description, rules, sharing, 0, description.size()) {}

  // Runs all blocks in order; `in` is what the blocks before them returned. With
  // Recompute::block each recomputable block keeps only its input. After the last block, what
  // readout() takes.
  Flow forward(const ForwardContext& context, Recompute recompute = Recompute::none,
               Flow in = {}) const;
  // The last block's, which this rank has: of all of forward()'s rows, or of some.
  const Readout& readout() const;

  // A batch's B T is a multiple of it: the number of ranks that share rows.
  std::int64_t row_multiple() const { return row_multiple_; }

  ParameterStore& parameters() { return *store_; }
  const ParameterStore& parameters() const { return *store_; }
  // All linear layers in order, and what they are made of: what rules can match.
  const std::vector<LinearSite>& linear_sites() const { return sites_; }

  // Around the micro-batches of one optimizer step; see Linear.
  void begin_step();
  void end_step();

 private:
  struct Entry {
    std::unique_ptr<Block> block;
    bool recomputable;
  };
  std::unique_ptr<ParameterStore> store_ = std::make_unique<ParameterStore>();
  std::vector<LinearSite> sites_;
  std::vector<Linear*> layers_;
  std::vector<Entry> blocks_;
  std::int64_t row_multiple_;
  const Readout* readout_ = nullptr;  // the last of them, if it is the model's last
};

}  // namespace ty
