#include "models/transformer/model.h"

#include "core/autograd/replay.h"
#include "core/base/error.h"

namespace ty {

Model::Model(const ModelDescription& description, const LinearRules& rules, const Sharing& stated,
             std::size_t first, std::size_t last)
    : row_multiple_(stated.has_own_rows() ? stated.ranks() : 1) {
  Sharing sharing = stated;
  sharing.columns = rules.name_hidden_layers();
  const Scope root = Scope(*store_).placing(placed_outside(sharing));
  for (std::size_t i = first; i < last; ++i) {
    const BlockDescription& d = description[i];
    blocks_.push_back({d.build(BlockContext{root.child(d.name), rules, sharing, &sites_, &layers_}),
                       d.recomputable});
  }
  if (!blocks_.empty()) readout_ = dynamic_cast<const Readout*>(blocks_.back().block.get());
  if (first == 0 && last == description.size()) rules.check_all_used(sites_);
}

const Readout& Model::readout() const {
  TY_CHECK(readout_ != nullptr, "this rank does not have the last block");
  return *readout_;
}

void Model::begin_step() {
  for (Linear* layer : layers_) layer->begin_step();
}

void Model::end_step() {
  for (Linear* layer : layers_) layer->end_step();
}

Flow Model::forward(const ForwardContext& context, Recompute recompute, Flow flow) const {
  for (const Entry& entry : blocks_) {
    const Block* block = entry.block.get();
    if (recompute != Recompute::none && entry.recomputable) {
      flow.hidden = ty::recompute(
          [block, context](std::span<const Tensor> in) {
            return block->forward({in[0]}, context).hidden;
          },
          {flow.hidden}, recompute == Recompute::selective ? Recomputed::cheap : Recomputed::all);
    } else {
      flow = block->forward(std::move(flow), context);
    }
  }
  return flow;
}

}  // namespace ty
