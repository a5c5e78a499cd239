#include <algorithm>

#include "core/ops/loss.h"
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
  Tensor loss(Flow out, const Batch& batch) const override {
    const Tensor logits = reshape(out.hidden, {-1, out.hidden.dim(-1)});
    return cross_entropy(logits, reshape(batch.at(Column::targets), {-1}));
  }
};

}  // namespace

std::unique_ptr<Objective> cross_entropy_objective() { return std::make_unique<CrossEntropy>(); }

}  // namespace ty
