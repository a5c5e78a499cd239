// Block: one link of a model's chain. A model is a list of block descriptions (data); a rank builds
// the blocks of its own range.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/nn/parameter.h"
#include "models/linear/base/pass.h"
#include "models/linear/rules.h"
#include "models/transformer/batch.h"
#include "parallel/tensor/vocabulary.h"

namespace ty {

class KvCache;
class LinearObserver;

// What a forward pass needs besides what flows from block to block.
struct ForwardContext {
  const Batch& batch;     // must outlive the backward pass, in which blocks may run again
  bool training = false;  // dropout on
  std::uint64_t seed = 0;
  std::int64_t step = 0;
  // What has been read of the batch's sequences before, for models that generate: the batch holds
  // what comes next, and attention adds it. Nothing is recorded.
  KvCache* cache = nullptr;
  Latents* latents = nullptr;  // of the block that runs
};
// What linear layers need of it.
LinearPass pass_of(const ForwardContext& context);

class Block {
 public:
  virtual ~Block() = default;
  // The first block of a model takes nothing but the batch; all others what the one before returns.
  // May record a graph.
  virtual Flow forward(Flow in, const ForwardContext& context) const = 0;
};

// A last block whose result is large. Its forward() returns what logits() takes, so that a few rows
// can be made at a time.
class Readout : public Block {
 public:
  // hidden [.., k] -> [.., V], or own columns of it. Each row by itself; forward calls no
  // collective.
  virtual Tensor logits(const Tensor& hidden) const = 0;
  // Of forward's rows [B T, C] of a whole model without a head, what its pooler makes of each
  // sequence: [B, C]; an empty tensor where there is no pooler.
  virtual Tensor pooled(const Tensor& /*rows*/, const Batch& /*batch*/) const { return {}; }
  // Which columns they are.
  virtual SharedVocabulary vocabulary() const = 0;
};

// Where a block declares its parameters and how its linear layers are chosen.
struct BlockContext {
  Scope scope;
  const LinearRules& linear;
  const Sharing& sharing;
  std::vector<LinearSite>* sites = nullptr;  // collects the layers that rules were asked for
  std::vector<Linear*>* layers = nullptr;    // and what stands there
  LinearObserver* observer = nullptr;        // watches layers, where there is one

  BlockContext child(std::string_view name) const {
    return {scope.child(name), linear, sharing, sites, layers, observer};
  }
  // A linear layer at this place's child `name`, of the kind the rules say, held by ranks as is
  // best for it alone or as was chosen.
  std::unique_ptr<Linear> make_linear(std::string_view name, const LinearShape& shape,
                                      Split split) const;
  std::unique_ptr<Linear> make_linear(std::string_view name, const LinearShape& shape, Split split,
                                      const LayoutChoice& layout) const;
  // The layer at `name` and how ranks can hold it.
  SharedLayer shared_layer(std::string_view name, const LinearShape& shape, Split split) const;
  // What the rules say about the layer or table at a full path, all sizes worked out.
  LinearSpec choose(const std::string& path, const LinearShape& shape,
                    WeightReaders readers = WeightReaders::products) const;
};

// A layer of Split::none for what lies outside, with parameters that every rank holds whole. Throws
// ConfigError where ranks have own columns there.
std::unique_ptr<Linear> make_outside_linear(const BlockContext& at, std::string_view name,
                                            const LinearShape& shape);

// A block that can be built: its path in the model, and how.
struct BlockDescription {
  std::string name;          // "embeddings", "blocks.3", "head"
  bool recomputable = true;  // worth running again in backward instead of keeping its inside
  std::function<std::unique_ptr<Block>(const BlockContext&)> build;
  // The columns of the batch that say how long the tensors are that flow into it (Flow): none for
  // the first block.
  std::vector<Column> flow = {};
  // Where other blocks declare parameters that this one reads too: "embeddings.token" by a head
  // that is tied to it.
  std::vector<std::string> reads = {};
};

struct ModelDescription {
  std::int64_t width = 0;  // C of what flows from block to block
  std::vector<BlockDescription> blocks = {};

  std::size_t size() const { return blocks.size(); }
};

}  // namespace ty
