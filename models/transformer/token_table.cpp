#include "models/transformer/token_table.h"

#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/ops/embedding.h"
#include "models/linear/kinds.h"
#include "models/linear/svd/svd.h"
#include "models/linear/svd/svd_function.h"
#include "models/transformer/row_trains_table.h"
#include "models/transformer/ttm_table.h"
#include "parallel/tensor/region.h"

namespace ty {

namespace {

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
      return svd_linear(entered, b_, a_, Tensor(), std::nullopt, WeightLayout::out_in);
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

// Of a place ["core1", "core2", ..].
std::vector<const Parameter*> declared_cores(const ParameterStore& store, const std::string& path) {
  std::vector<const Parameter*> cores;
  while (const Parameter* core = store.find(fmt::format("{}.core{}", path, cores.size() + 1))) {
    cores.push_back(core);
  }
  return cores;
}

// The table as a layer from ids to vectors.
LinearShape layer_of(const TokenTableShape& shape) {
  return {.in = shape.vocab, .out = shape.width, .bias = false, .weight_std = shape.std};
}

// Throws ConfigError for a kind that tables cannot have, or not with canonical sums.
void check(const BlockContext& at, const LinearShape& layer, const LinearSpec& spec) {
  const std::string path = at.scope.path();
  const auto refuse = [&](const std::string& message) {
    throw ConfigError("{}: {} [{}, {}]: {}", at.linear.name_for(path), path, layer.in, layer.out,
                      message);
  };
  if (!is_one_matrix(spec)) {
    refuse(fmt::format("a token table is one matrix, not {}", describe(spec)));
  }
  if (is_dense(spec) || spec.as<SvdSpec>() != nullptr) return;
  if (spec.as<TtmSpec>() == nullptr && spec.as<RowTrainsSpec>() == nullptr) {
    refuse(fmt::format(
        "a token table can be dense, svd, ttm or row_trains, not {}; add a rule {{match: {}, kind: "
        "dense}} after it",
        kind_name(spec), path));
  }
  if (!at.sharing.is_canonical()) return;
  refuse(fmt::format(
      "a {} table has no canonical sums; want kind: dense or svd, or parallel.reduction: fast",
      kind_name(spec)));
}

}  // namespace

std::unique_ptr<TokenTable> make_token_table(const BlockContext& at, const TokenTableShape& shape,
                                             WeightReaders readers) {
  const std::string path = at.scope.path();
  const LinearShape layer = layer_of(shape);
  const LinearSpec spec = at.choose(path, layer, readers);
  check(at, layer, spec);
  if (const auto* ttm = spec.as<TtmSpec>()) return make_ttm_table(at, layer, *ttm);
  if (const auto* trains = spec.as<RowTrainsSpec>()) {
    return make_row_trains_table(at, layer, *trains);
  }
  const Placement rows = placed_part(0, shape.vocab, at.sharing);
  const std::int64_t own = own_count(shape.vocab, at.sharing);
  if (const auto* svd = spec.as<SvdSpec>()) {
    const SvdInits inits = svd_inits(layer, *svd, path);
    const Parameter& a = at.scope.parameter("a", {own, svd->rank}, inits.a, rows);
    const Parameter& b =
        declare_along_columns(at.scope, "b", {svd->rank, shape.width}, 1, inits.b, at.sharing);
    return std::make_unique<SvdTable>(a, b, at.sharing);
  }
  const Parameter& table =
      at.scope.parameter("weight", {own, shape.width}, Init::normal(shape.std), rows);
  return std::make_unique<DenseTable>(table, at.sharing);
}

namespace {

std::unique_ptr<TokenTable> find_or_make(const BlockContext& at, const std::string& path,
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
  std::vector<const Parameter*> cores = declared_cores(store, path);
  if (!cores.empty()) {
    const LinearShape layer = layer_of(shape);
    const LinearSpec spec = at.linear.choose(path, layer);
    const auto* ttm = spec.as<TtmSpec>();
    return ttm != nullptr ? ttm_table_of(there, layer, *ttm, std::move(cores))
                          : row_trains_table_of(there, layer, std::move(cores));
  }
  return make_token_table(there, shape, WeightReaders::both);
}

}  // namespace

std::unique_ptr<TokenTable> tied_token_table(const BlockContext& at, const std::string& path,
                                             const TokenTableShape& shape) {
  std::unique_ptr<TokenTable> table = find_or_make(at, path, shape);
  Linear* layer = table->layer();
  if (layer != nullptr && at.layers != nullptr) at.layers->push_back(layer);
  return table;
}

std::optional<LinearSite> product_of(const LinearSite& site) {
  if (site.readers == WeightReaders::ids) return std::nullopt;
  LinearSite product = site;
  if (site.readers == WeightReaders::products) return product;
  std::swap(product.shape.in, product.shape.out);
  if (const auto* ttm = site.spec.as<TtmSpec>()) product.spec = transposed(*ttm);
  if (site.spec.as<RowTrainsSpec>() != nullptr) product.spec = LinearSpec();
  return product;
}

}  // namespace ty
