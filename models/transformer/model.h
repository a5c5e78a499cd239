// Model: the blocks of one rank's range of a model description, and their parameters.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/transformer/block.h"

namespace ty {

// What is computed again in backward instead of being kept.
enum class Recompute : std::uint8_t { none, block };
// How long linear layers keep what they have made once (W of a tensor train): within a pass, or
// over the micro-batches of a step.
enum class WeightReuse : std::uint8_t { pass, step };

class Model {
 public:
  // Builds blocks [first, last) of a description, whose layers are shared as `sharing` says.
  // Parameters are declared, without memory yet.
  Model(const ModelDescription& description, const LinearRules& rules, const Sharing& sharing,
        std::size_t first, std::size_t last);
  // All blocks, on one rank.
  Model(const ModelDescription& description, const LinearRules& rules)
      : Model(description, rules, {}, 0, description.size()) {}

  // Runs all blocks in order; `in` is what the blocks before them returned. With Recompute::block
  // each recomputable block keeps only its input.
  Flow forward(const ForwardContext& context, Recompute recompute = Recompute::none,
               Flow in = {}) const;

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
};

}  // namespace ty
