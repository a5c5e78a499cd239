#include <algorithm>

#include "core/ops/shape.h"
#include "models/objective/objective.h"

namespace ty {

namespace {

class CrossEntropy final : public Objective {
 public:
  explicit CrossEntropy(const CrossEntropyTerms& terms) : terms_(terms) {}

  std::int64_t targets(const HostBatch& batch) const override {
    const std::vector<std::int32_t>& all = batch.at(Column::targets).ids;
    return std::count_if(all.begin(), all.end(), [](std::int32_t id) { return id >= 0; });
  }
  Tensor loss(const Tensor& logits, const SharedVocabulary& vocabulary, const Batch& batch,
              std::int64_t first) const override {
    const Tensor targets = reshape(batch.at(Column::targets), {-1});
    return cross_entropy(logits, narrow(targets, 0, first, logits.dim(0)), vocabulary, terms_);
  }

 private:
  CrossEntropyTerms terms_;
};

}  // namespace

std::unique_ptr<Objective> cross_entropy_objective(const CrossEntropyTerms& terms) {
  return std::make_unique<CrossEntropy>(terms);
}

}  // namespace ty
