#include <utility>

#include "core/ops/elementwise.h"
#include "core/ops/loss.h"
#include "models/objective/objective.h"

namespace ty {

namespace {

class Consistent final : public Objective {
 public:
  Consistent(std::unique_ptr<Objective> of, double weight) : of_(std::move(of)), weight_(weight) {}

  std::int64_t targets(const HostBatch& batch) const override { return of_->targets(batch); }
  Tensor loss(const Tensor& logits, const SharedVocabulary& vocabulary, const Batch& batch,
              std::int64_t first) const override {
    const Tensor loss = of_->loss(logits, vocabulary, batch, first);
    return batch.copies == 1 ? loss : add(loss, scale(divergence_of_pairs(logits), weight_));
  }

 private:
  std::unique_ptr<Objective> of_;
  double weight_;
};

}  // namespace

std::unique_ptr<Objective> consistent(std::unique_ptr<Objective> of, double weight) {
  return std::make_unique<Consistent>(std::move(of), weight);
}

}  // namespace ty
