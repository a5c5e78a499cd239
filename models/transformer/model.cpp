#include "models/transformer/model.h"

#include "core/autograd/replay.h"

namespace ty {

Model::Model(const ModelDescription& description, const LinearRules& rules, const Sharing& sharing,
             std::size_t first, std::size_t last) {
  const Scope root(*store_);
  for (std::size_t i = first; i < last; ++i) {
    const BlockDescription& d = description[i];
    blocks_.push_back({d.build(BlockContext{root.child(d.name), rules, sharing, &sites_, &layers_}),
                       d.recomputable});
  }
  if (first == 0 && last == description.size()) rules.check_all_used(sites_);
}

void Model::begin_step() {
  for (Linear* layer : layers_) layer->begin_step();
}

void Model::end_step() {
  for (Linear* layer : layers_) layer->end_step();
}

Tensor Model::forward(const Tensor& x, const ForwardContext& context, Recompute recompute) const {
  Tensor h = x;
  for (const Entry& entry : blocks_) {
    if (recompute == Recompute::block && entry.recomputable) {
      const Block* block = entry.block.get();
      h = ty::recompute(
          [block, context](std::span<const Tensor> in) { return block->forward(in[0], context); },
          {h});
    } else {
      h = entry.block->forward(h, context);
    }
  }
  return h;
}

}  // namespace ty
