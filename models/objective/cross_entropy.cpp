#include <algorithm>

#include "core/ops/shape.h"
#include "models/objective/objective.h"

namespace ty {

namespace {

class CrossEntropy final : public Objective {
 public:
  std::int64_t targets(const HostBatch& batch) const override {
    const std::vector<std::int32_t>& all = batch.at(Column::targets).ids;
    return std::count_if(all.begin(), all.end(), [](std::int32_t id) { return id >= 0; });
  }
  Tensor loss(const Tensor& logits, const SharedVocabulary& vocabulary, const Batch& batch,
              std::int64_t first) const override {
    const Tensor targets = reshape(batch.at(Column::targets), {-1});
    return cross_entropy(logits, narrow(targets, 0, first, logits.dim(0)), vocabulary);
  }
};

}  // namespace

std::unique_ptr<Objective> cross_entropy_objective() { return std::make_unique<CrossEntropy>(); }

}  // namespace ty
