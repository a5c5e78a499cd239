#include "models/transformer/row_trains_table.h"

#include <utility>

#include "core/ops/embedding.h"
#include "core/ops/matmul.h"
#include "core/ops/shape.h"
#include "models/linear/ttm/ttm_linear.h"

namespace ty {

namespace {

class RowTrainsTable final : public TokenTable {
 public:
  RowTrainsTable(std::vector<const Parameter*> cores, std::int64_t width, VocabularySlice part,
                 const Sharing& sharing)
      : cores_(std::move(cores)), width_(width), part_(part), sharing_(sharing) {}

  Tensor embed(const Tensor& ids) const override {
    std::vector<Tensor> chosen;
    for (const Tensor& core : values_of(cores_)) {
      const Tensor rows = reshape(core, {core.dim(0), -1});
      chosen.push_back(reshape(embedding(rows, reshape(ids, {-1}), part_),
                               {-1, core.dim(1), core.dim(2), core.dim(3)}));
    }
    Shape shape = ids.shape();
    shape.push_back(width_);
    return leave(reshape(contracted_rows(chosen, width_), shape), sharing_);
  }
  Tensor enter(const Tensor& h) const override { return ty::enter(h, sharing_); }
  Tensor apply(const Tensor& h) const override {
    return linear(h, contracted_rows(values_of(cores_), width_), Tensor(), WeightLayout::out_in);
  }

 private:
  std::vector<const Parameter*> cores_;
  std::int64_t width_;
  VocabularySlice part_;
  Sharing sharing_;
};

}  // namespace

std::unique_ptr<TokenTable> row_trains_table_of(const BlockContext& at, const LinearShape& shape,
                                                std::vector<const Parameter*> cores) {
  const Slice own = own_part(0, shape.in, at.sharing);
  const VocabularySlice part =
      own.dim < 0 ? VocabularySlice{} : VocabularySlice{own.first, own.whole};
  return std::make_unique<RowTrainsTable>(std::move(cores), shape.out, part, at.sharing);
}

std::unique_ptr<TokenTable> make_row_trains_table(const BlockContext& at, const LinearShape& shape,
                                                  const RowTrainsSpec& spec) {
  const Scope rows = at.scope.placing(placed_part(0, shape.in, at.sharing));
  return row_trains_table_of(
      at, shape, declare_row_trains(rows, shape, spec, own_count(shape.in, at.sharing)));
}

}  // namespace ty
