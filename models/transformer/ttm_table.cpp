#include "models/transformer/ttm_table.h"

#include <utility>

#include "core/base/error.h"
#include "core/ops/shape.h"
#include "models/linear/ttm/ttm_linear.h"
#include "models/linear/ttm/ttm_rows.h"

namespace ty {

namespace {

// Of the layer [V, C] that the table is: its rows lie inside.
Split split_of(const Sharing& sharing) { return sharing.ranks() > 1 ? Split::in : Split::none; }

// A rank's part of the vocabulary.
VocabularySlice part_of(const TtmLayer& own, std::int64_t vocab, const Sharing& sharing) {
  return sharing.ranks() == 1 ? VocabularySlice{}
                              : VocabularySlice{sharing.tensor.rank() * own.in, vocab};
}

class TtmTable final : public TokenTable {
 public:
  TtmTable(const Scope& scope, const LinearShape& shape, const TtmShape& whole,
           std::vector<const Parameter*> cores, const Sharing& sharing)
      : cores_(std::move(cores)),
        own_(own_layer({whole, shape.in, shape.out}, split_of(sharing), sharing.ranks())),
        part_(part_of(own_, shape.in, sharing)),
        sharing_(sharing),
        head_(
            scope, {.in = shape.out, .out = shape.in, .bias = false}, ty::transposed(whole),
            [this] { return transposed(); }, sharing.ranks() > 1 ? Split::out : Split::none,
            sharing) {}

  Tensor embed(const Tensor& ids) const override {
    return leave(ttm_rows(values_of(cores_), own_, ids, part_), sharing_);
  }
  Tensor enter(const Tensor& h) const override { return head_.enter(h); }
  Tensor apply(const Tensor& entered) const override { return head_.apply(entered); }
  Linear* layer() override { return &head_; }

 private:
  // Cores [R, C_k, V_k, R'].
  std::vector<Tensor> transposed() const {
    std::vector<Tensor> result;
    for (const Tensor& core : values_of(cores_)) {
      result.push_back(contiguous(permute(core, {0, 2, 1, 3})));
    }
    return result;
  }

  std::vector<const Parameter*> cores_;
  TtmLayer own_;  // this rank's rows
  VocabularySlice part_;
  Sharing sharing_;
  TtmLinear head_;
};

void check_sharing(const BlockContext& at, const LinearShape& shape, const TtmSpec& spec) {
  const int ranks = at.sharing.ranks();
  const std::string path = at.scope.path();
  const std::string obstacle = ranks > 1 ? obstacle_to(spec, shape, Split::in, ranks) : "";
  if (obstacle.empty()) return;
  throw ConfigError("{}: {} [{}, {}]: ttm over {} ranks: {}", at.linear.name_for(path), path,
                    shape.in, shape.out, ranks, obstacle);
}

}  // namespace

std::unique_ptr<TokenTable> ttm_table_of(const BlockContext& at, const LinearShape& shape,
                                         const TtmSpec& spec, std::vector<const Parameter*> cores) {
  return std::make_unique<TtmTable>(at.scope, shape, shape_of(spec), std::move(cores), at.sharing);
}

std::unique_ptr<TokenTable> make_ttm_table(const BlockContext& at, const LinearShape& shape,
                                           const TtmSpec& spec) {
  check_sharing(at, shape, spec);
  const TtmShape whole = shape_of(spec);
  const TtmScope declared(at.scope, split_of(at.sharing), at.sharing);
  const std::vector<Init> inits = ttm_inits(whole, shape.weight_std, spec.init, at.scope.path());
  return ttm_table_of(at, shape, spec, declared.cores(whole, inits));
}

}  // namespace ty
