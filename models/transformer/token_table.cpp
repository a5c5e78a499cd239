#include "models/transformer/token_table.h"

#include "core/base/error.h"
#include "core/ops/embedding.h"
#include "models/linear/kinds.h"
#include "models/linear/svd/svd.h"
#include "models/linear/svd/svd_function.h"

namespace ty {

namespace {

constexpr const char* kTiedHead = "head.linear";

class DenseTable final : public TokenTable {
 public:
  explicit DenseTable(const Parameter& table) : table_(table) {}
  Tensor embed(const Tensor& ids) const override { return embedding(table_.value, ids); }
  Tensor logits(const Tensor& h) const override {
    return linear(h, table_.value, Tensor(), WeightLayout::out_in);
  }

 private:
  const Parameter& table_;
};

// E = A B with A [V, r], B [r, C]: ids read rows of A.
class SvdTable final : public TokenTable {
 public:
  SvdTable(const Parameter& a, const Parameter& b) : a_(a), b_(b) {}
  Tensor embed(const Tensor& ids) const override {
    return linear(embedding(a_.value, ids), b_.value, Tensor());
  }
  Tensor logits(const Tensor& h) const override {
    return svd_linear(h, b_.value, a_.value, Tensor(), WeightLayout::out_in);
  }

 private:
  const Parameter& a_;
  const Parameter& b_;
};

}  // namespace

std::unique_ptr<TokenTable> make_token_table(const BlockContext& at, const TokenTableShape& shape,
                                             bool tied) {
  LinearSpec spec;
  const LinearShape layer = {
      .in = shape.width, .out = shape.vocab, .bias = false, .weight_std = shape.std};
  if (tied) spec = at.choose(kTiedHead, layer, at.scope.path());
  if (const auto* svd = spec.as<SvdSpec>()) {
    // Seen from the ids: [V, r] [r, C].
    const SvdInits inits = svd_inits(
        {.in = shape.vocab, .out = shape.width, .weight_std = shape.std}, *svd, at.scope.path());
    const Parameter& a = at.scope.parameter("a", {shape.vocab, svd->rank}, inits.a);
    const Parameter& b = at.scope.parameter("b", {svd->rank, shape.width}, inits.b);
    return std::make_unique<SvdTable>(a, b);
  }
  if (!is_dense(spec)) {
    throw ConfigError(
        "{}: {} [{}, {}]: a head tied to the token table can be dense or svd, not {}; add a rule "
        "{{match: {}, kind: dense}} after it, or set model.tied=false",
        at.linear.name_for(kTiedHead), kTiedHead, layer.in, layer.out, kind_name(spec), kTiedHead);
  }
  return std::make_unique<DenseTable>(
      at.scope.parameter("weight", {shape.vocab, shape.width}, Init::normal(shape.std)));
}

std::unique_ptr<TokenTable> find_token_table(ParameterStore& store, const std::string& path) {
  if (const Parameter* table = store.find(path + ".weight")) {
    return std::make_unique<DenseTable>(*table);
  }
  const Parameter* a = store.find(path + ".a");
  const Parameter* b = store.find(path + ".b");
  TY_CHECK(a != nullptr && b != nullptr, "a tied head stands on a rank without the token table");
  return std::make_unique<SvdTable>(*a, *b);
}

}  // namespace ty
