#include "models/transformer/token_table.h"

#include "core/base/error.h"
#include "core/ops/embedding.h"
#include "models/linear/kinds.h"
#include "models/linear/svd/svd.h"
#include "models/linear/svd/svd_function.h"
#include "parallel/tensor/region.h"

namespace ty {

namespace {

constexpr const char* kTiedHead = "head.linear";

// The rows of a parameter [own V, ..] as a part of the vocabulary.
VocabularySlice part_of(const Parameter& table) {
  const Slice& slice = table.placement.slice;
  return slice.dim < 0 ? VocabularySlice{} : VocabularySlice{slice.first, slice.whole};
}

// Of a rank's part of the vocabulary.
WeightShards shards_of(const Parameter& table, const Sharing& sharing) {
  return {WeightShards::Along::out, own_shards(table.whole()[0], sharing)};
}

// Which of its readers a block is to a table: the one that has it, or a head that reads it too.
enum class Reader : std::uint8_t { first, second };

const Tensor& value_for(Reader reader, const Parameter& parameter) {
  return reader == Reader::first ? parameter.value : parameter.second_value;
}

class DenseTable final : public TokenTable {
 public:
  DenseTable(const Parameter& table, const Sharing& sharing, Reader reader = Reader::first)
      : value_(value_for(reader, table)),
        part_(part_of(table)),
        shards_(shards_of(table, sharing)),
        sharing_(sharing) {}
  Tensor embed(const Tensor& ids) const override {
    return leave(embedding(value_, ids, part_), sharing_);
  }
  Tensor enter(const Tensor& h) const override { return ty::enter(h, sharing_); }
  Tensor apply(const Tensor& h) const override {
    return linear(h, value_, Tensor(), WeightLayout::out_in, InReplay::read, shards_);
  }

 private:
  const Tensor& value_;
  VocabularySlice part_;
  WeightShards shards_;
  Sharing sharing_;
};

// E = A B with A [V, r], B [r, C]: ids read rows of A. Ranks divide A, and B where they have own
// columns outside; what crosses them is r wide.
class SvdTable final : public TokenTable {
 public:
  SvdTable(const Parameter& a, const Parameter& b, const Sharing& sharing,
           Reader reader = Reader::first)
      : a_(value_for(reader, a)),
        b_(value_for(reader, b)),
        part_(part_of(a)),
        shards_(shards_of(a, sharing)),
        sharing_(sharing) {}
  Tensor embed(const Tensor& ids) const override {
    const Tensor term = embedding(a_, ids, part_);
    const Tensor z =
        sharing_.columns ? all_reduce_all_reduce(term, sharing_.tensor) : leave(term, sharing_);
    return linear(z, b_, Tensor());
  }
  Tensor enter(const Tensor& h) const override {
    if (!sharing_.is_divided()) return h;
    const Tensor z = linear(h, b_, Tensor(), WeightLayout::out_in);
    return sharing_.columns ? all_reduce_all_reduce(z, sharing_.tensor) : ty::enter(z, sharing_);
  }
  Tensor apply(const Tensor& entered) const override {
    if (!sharing_.is_divided()) {
      return svd_linear(entered, b_, a_, Tensor(), WeightLayout::out_in);
    }
    return linear(entered, a_, Tensor(), WeightLayout::out_in, InReplay::read, shards_);
  }

 private:
  const Tensor& a_;
  const Tensor& b_;
  VocabularySlice part_;
  WeightShards shards_;
  Sharing sharing_;
};

}  // namespace

std::unique_ptr<TokenTable> make_token_table(const BlockContext& at, const TokenTableShape& shape,
                                             bool tied) {
  const Placement rows = placed_part(0, shape.vocab, at.sharing);
  const std::int64_t own = own_count(shape.vocab, at.sharing);
  LinearSpec spec;
  const LinearShape layer = {
      .in = shape.width, .out = shape.vocab, .bias = false, .weight_std = shape.std};
  if (tied) spec = at.choose(kTiedHead, layer, at.scope.path());
  if (const auto* svd = spec.as<SvdSpec>()) {
    // Seen from the ids: [V, r] [r, C].
    const SvdInits inits = svd_inits(
        {.in = shape.vocab, .out = shape.width, .weight_std = shape.std}, *svd, at.scope.path());
    const Parameter& a = at.scope.parameter("a", {own, svd->rank}, inits.a, rows);
    const Parameter& b =
        declare_along_columns(at.scope, "b", {svd->rank, shape.width}, 1, inits.b, at.sharing);
    return std::make_unique<SvdTable>(a, b, at.sharing);
  }
  if (!is_dense(spec)) {
    throw ConfigError(
        "{}: {} [{}, {}]: a head tied to the token table can be dense or svd, not {}; add a rule "
        "{{match: {}, kind: dense}} after it, or set model.tied=false",
        at.linear.name_for(kTiedHead), kTiedHead, layer.in, layer.out, kind_name(spec), kTiedHead);
  }
  const Parameter& table =
      at.scope.parameter("weight", {own, shape.width}, Init::normal(shape.std), rows);
  return std::make_unique<DenseTable>(table, at.sharing);
}

std::unique_ptr<TokenTable> tied_token_table(const BlockContext& at, const std::string& path,
                                             const TokenTableShape& shape) {
  ParameterStore& store = at.scope.store();
  const bool apart = at.sharing.is_canonical();
  const Reader reader = apart ? Reader::second : Reader::first;
  if (Parameter* table = store.find(path + ".weight")) {
    table->has_second_reader = apart;
    return std::make_unique<DenseTable>(*table, at.sharing, reader);
  }
  Parameter* a = store.find(path + ".a");
  Parameter* b = store.find(path + ".b");
  if (a != nullptr && b != nullptr) {
    a->has_second_reader = b->has_second_reader = apart;
    return std::make_unique<SvdTable>(*a, *b, at.sharing, reader);
  }
  BlockContext there = at;
  there.scope = at.scope.at(path);
  return make_token_table(there, shape, true);
}

}  // namespace ty
