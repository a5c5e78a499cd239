#include "models/objective/objective.h"

#include "core/ops/elementwise.h"
#include "core/ops/shape.h"

namespace ty {

namespace {

class SquaredError final : public Objective {
 public:
  std::int64_t targets(const HostBatch& batch) const override { return batch.sequences; }
  Tensor loss(const Tensor& results, const SharedVocabulary&, const Batch& batch,
              std::int64_t first) const override {
    const std::int64_t width = results.dim(-1);
    const Tensor values = reshape(batch.at(Column::values), {-1, width}).to(results.dtype());
    const Tensor difference = sub(results, narrow(values, 0, first, results.dim(0)));
    return scale(sum(mul(difference, difference)), 1.0 / static_cast<double>(width));
  }
};

class Sum final : public Objective {
 public:
  std::int64_t targets(const HostBatch& batch) const override { return batch.sequences; }
  Tensor loss(const Tensor& results, const SharedVocabulary&, const Batch&,
              std::int64_t) const override {
    return sum(results);
  }
};

}  // namespace

std::unique_ptr<Objective> squared_error_objective() { return std::make_unique<SquaredError>(); }

std::unique_ptr<Objective> objective_of(const HeadSpec& head, const CrossEntropyTerms& terms) {
  switch (head.kind) {
    case HeadSpec::Kind::values:
      return squared_error_objective();
    case HeadSpec::Kind::none:
      return std::make_unique<Sum>();
    default:
      return cross_entropy_objective(terms);
  }
}

}  // namespace ty
