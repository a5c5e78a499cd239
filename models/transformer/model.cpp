#include "models/transformer/model.h"

#include <algorithm>
#include <iterator>
#include <tuple>

#include "core/autograd/replay.h"
#include "core/base/error.h"

namespace ty {

Model::Model(const ModelDescription& description, const LinearRules& rules, const Sharing& stated,
             const Partition& partition, int stage, LinearObserver* observer)
    : partition_(partition), stage_(stage), width_(description.width), sharing_(stated) {
  sharing_.columns = rules.name_hidden_layers();
  const Sharing& sharing = sharing_;
  for (const BlockDescription& block : description.blocks) flows_.push_back(block.flow);
  const Scope root = Scope(*store_).placing(placed_outside(sharing));
  for (int chunk = 0; chunk < chunks(); ++chunk) {
    const BlockRange range = partition_.of(stage, chunk);
    std::vector<Entry>& entries = chunks_.emplace_back();
    for (std::size_t i = range.first; i < range.last; ++i) {
      const BlockDescription& d = description.blocks[i];
      entries.push_back(
          {d.build(BlockContext{root.child(d.name), rules, sharing, &sites_, &layers_, observer}),
           d.recomputable});
    }
    if (range.last != description.size() || entries.empty()) continue;
    readout_ = dynamic_cast<const Readout*>(entries.back().block.get());
  }
  if (stages() == 1) rules.check_all_used(sites_);
  place_shared(description);
  find_latents(description, rules);
}

namespace {

// The lax layers among a block's, by name.
std::vector<LatentForm> latents_of(std::span<const LinearSite> sites) {
  std::vector<LatentForm> forms;
  for (const LinearSite& site : sites) {
    const std::int64_t width = latent_width(site.spec);
    if (width > 0) forms.push_back({path_in_block(site.path), width});
  }
  std::sort(forms.begin(), forms.end(),
            [](const LatentForm& a, const LatentForm& b) { return a.name < b.name; });
  return forms;
}

}  // namespace

// A layer reads a latent where the block before has one of the same name and width, for the same
// tokens. Of blocks on other stages only their layers are needed, so all are built once, without
// memory.
void Model::find_latents(const ModelDescription& description, const LinearRules& rules) {
  latents_.resize(description.size() + 1);
  const std::vector<LatentForm> own_latents = latents_of(sites_);
  if (own_latents.empty()) return;
  if (own_latents.front().name.empty()) {
    throw ConfigError(Key{"linear"},
                      "a lax layer lies outside of blocks, where none before it hands a latent on; "
                      "want svd there");
  }
  ParameterStore none;
  std::vector<LatentForm> before;
  for (std::size_t i = 0; i < description.size(); ++i) {
    const BlockDescription& d = description.blocks[i];
    std::vector<LinearSite> sites;
    d.build(BlockContext{Scope(none).child(d.name), rules, Sharing(), &sites});
    std::vector<LatentForm> own = latents_of(sites);
    if (i > 0 && d.flow == description.blocks[i - 1].flow) {
      std::set_intersection(own.begin(), own.end(), before.begin(), before.end(),
                            std::back_inserter(latents_[i]),
                            [](const LatentForm& a, const LatentForm& b) {
                              return std::tie(a.name, a.width) < std::tie(b.name, b.width);
                            });
    }
    before = std::move(own);
  }
}

// A block that another one reads from is its owner.
void Model::place_shared(const ModelDescription& description) {
  const auto owner_of = [&](const std::string& path) {
    std::size_t i = 0;
    while (i < description.size() && !path.starts_with(description.blocks[i].name + ".")) ++i;
    return partition_.stage_of(i);
  };
  for (std::size_t i = 0; i < description.size(); ++i) {
    for (const std::string& path : description.blocks[i].reads) {
      const int owner = owner_of(path);
      if (owner == partition_.stage_of(i)) continue;
      TY_CHECK(owner == 0 && partition_.stage_of(i) + 1 == stages(),
               "{} is shared by stages {} and {} of {}", path, owner, partition_.stage_of(i),
               stages());
      for (Parameter& parameter : store_->all()) {
        if (!parameter.name.starts_with(path + ".")) continue;
        parameter.placement.partial = parameter.placement.partial.with(Axis::pipeline);
        parameter.placement.counted = parameter.placement.counted && owner == stage_;
      }
    }
  }
}

std::vector<Shape> Model::shapes_entering_block(std::size_t block, std::int64_t sequences,
                                                const LengthOf& length_of) const {
  const std::int64_t width = sharing_.has_own_columns() ? width_ / sharing_.ranks() : width_;
  std::vector<Shape> shapes;
  const auto shape_of = [&](std::int64_t length, std::int64_t numbers) {
    return sharing_.has_own_rows() ? Shape{sequences * length / sharing_.ranks(), numbers}
                                   : Shape{sequences, length, numbers};
  };
  for (const Column column : flows_[block]) {
    const std::int64_t length = length_of(column);
    if (length > 0) shapes.push_back(shape_of(length, width));
  }
  for (const LatentForm& latent : latents_[block]) {
    shapes.push_back(shape_of(length_of(flows_[block].front()), latent.width));
  }
  return shapes;
}

std::vector<Shape> Model::shapes_entering(int virtual_stage, std::int64_t sequences,
                                          const LengthOf& length_of) const {
  const BlockRange& range = partition_.ranges[static_cast<std::size_t>(virtual_stage)];
  return shapes_entering_block(range.first, sequences, length_of);
}

const Readout& Model::readout() const {
  TY_CHECK(has_readout(), "this stage does not have the last block");
  return *readout_;
}

void Model::begin_step() {
  for (Linear* layer : layers_) layer->begin_step();
}

void Model::end_step() {
  for (Linear* layer : layers_) layer->end_step();
}

Flow Model::forward(const ForwardContext& context, Recompute recompute, Flow flow,
                    int chunk) const {
  const bool inside_blocks = recompute == Recompute::selective || recompute == Recompute::block;
  std::size_t index = blocks(chunk).first;
  for (const Entry& entry : chunks_[static_cast<std::size_t>(chunk)]) {
    const Block* block = entry.block.get();
    const bool has_backward = index >= first_trained_;
    const auto &before = latents_[index], &after = latents_[++index];
    if (inside_blocks && entry.recomputable && has_backward) {
      const std::vector<Tensor> out = ty::recompute(
          [block, context, before, after](std::span<const Tensor> in) {
            return block->forward(Flow::of(in, before), context).with_latents(after).tensors();
          },
          flow.tensors(), recompute == Recompute::selective ? Recomputed::cheap : Recomputed::all);
      flow = Flow::of(out, after);
    } else {
      flow = block->forward(std::move(flow), context).with_latents(after);
    }
  }
  return flow;
}

}  // namespace ty
