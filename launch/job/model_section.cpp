#include "launch/job/model_section.h"

#include <algorithm>
#include <string>
#include <vector>

#include "launch/job/limits.h"

namespace ty {

using config::at_least;
using config::between;
using config::Checks;
using config::Fields;

namespace {

config::Rule one_of_families() {
  config::Rule rule;
  for (const Family& family : families()) rule.choices.emplace_back(family.name);
  return rule;
}

}  // namespace

void fields(Fields& f, ModelSection& s) {
  f.field("from", s.from, "model directory to start from; null: random weights");
  f.when("from", s.from.empty(), "without from", [&] {
    f.field("family", s.family, "kind of model", one_of_families());
    f.field("layers", s.layers, "number of blocks", between(1, kMostLayers));
    f.field("width", s.width, "size of the residual stream", between(1, kMostWidth));
    f.field("heads", s.heads, "attention heads; divides width", between(1, kMostHeads));
    f.field("inner", s.inner, "width inside of the MLP; 0: 4 * width", between(0, kMostFeatures));
    f.field("encoder_layers", s.encoder_layers,
            "number of blocks of the encoder, in families that have one; 0: as many as layers",
            between(0, kMostLayers));
    f.field("embedding_width", s.embedding_width, "of token vectors; 0: width",
            between(0, kMostWidth));
    f.field("image", s.image, "pixels along a side, in families that read images",
            between(1, kMostImageSize));
    f.field("patch", s.patch, "pixels along a side of a patch; divides image",
            between(1, kMostImageSize));
    f.field("channels", s.channels, "numbers of a pixel", between(1, 64));
    f.field("context", s.context, "longest sequence in tokens", between(1, kLongestSequence));
    f.field("tied", s.tied, "whether the head reads the token table");
    f.field("activation", s.activation, "of the MLP; null: the family's",
            {{"gelu_tanh", UnaryOp::gelu_tanh},
             {"gelu_erf", UnaryOp::gelu_erf},
             {"gelu_fast", UnaryOp::gelu_tanh},
             {"quick_gelu", UnaryOp::quick_gelu},
             {"relu", UnaryOp::relu},
             {"silu", UnaryOp::silu},
             {"tanh", UnaryOp::tanh}});
    f.field("vocab", s.vocab, "number of token ids; 0: the tokenizer's", between(0, kMostTokenIds));
  });
  f.field("head", s.head, "task: what task.kind wants; none: the model ends before it, in plans",
          {{"task", HeadChoice::task}, {"none", HeadChoice::none}});
  f.field(
      "dropout", s.dropout,
      "probability of embeddings, attention and residual branches; null: 0, or what from states",
      at_least(0).below(1));
}

void check(const ModelSection& s, Checks& checks) {
  if (!s.from.empty() || s.width % s.heads == 0) return;
  std::vector<std::string> valid;
  for (std::int64_t heads = 1; heads <= std::min<std::int64_t>(s.width, 256); ++heads) {
    if (s.width % heads == 0) valid.push_back(std::to_string(heads));
  }
  checks.fail("heads", "{} does not divide width = {}; valid: {}", s.heads, s.width,
              config::joined(valid));
}

}  // namespace ty
