#include "models/objective/chunked_loss.h"

#include <algorithm>
#include <functional>

#include "core/base/even_parts.h"
#include "core/ops/shape.h"

namespace ty {

namespace {

constexpr std::int64_t kChunkBytes = std::int64_t{50} << 20;  // of logits; of a whole vocabulary
constexpr std::int64_t kFewestRows = 32;                      // fewer make poor products
constexpr std::int64_t kMostChunks = 1024;

struct Rows {
  std::int64_t first, count;
  bool is_last;
};

// Cuts n rows into as few chunks as the limit allows, of about equal size; what belongs to copies
// of one example stays together.
void for_each_chunk(const Tensor& hidden, const SharedVocabulary& vocabulary, std::int64_t copies,
                    const std::function<void(const Rows&)>& visit) {
  const std::int64_t n = hidden.dim(0);
  const std::int64_t row =
      vocabulary.slice.whole * static_cast<std::int64_t>(size_of(hidden.dtype()));
  const std::int64_t most = std::max({kFewestRows, kChunkBytes / row, n / kMostChunks});
  const std::int64_t chunks = std::max<std::int64_t>(1, (n + most - 1) / most);
  for (std::int64_t i = 0; i < chunks; ++i) {
    const Range rows = even_part(n / copies, i, chunks);
    visit({rows.first * copies, rows.count * copies, i + 1 == chunks});
  }
}

// [.., k] as [N, k].
Tensor rows_of(const Tensor& hidden) {
  const Tensor base = hidden.contiguous();
  return base.alias(base.view().as_rows());
}

void add_to(Tensor& total, const Tensor& loss) {
  if (total.defined()) {
    total.backend().axpby(total.view(), 1.0, loss.view(), 1.0);
  } else {
    total = loss.detach();
  }
}

}  // namespace

Tensor total_loss(const Model& model, const Objective& objective, const Flow& out,
                  const Batch& batch) {
  const NoGrad no_grad;
  const SharedVocabulary vocabulary = model.readout().vocabulary();
  const Tensor hidden = rows_of(out.hidden);
  Tensor total;
  for_each_chunk(hidden, vocabulary, batch.copies, [&](const Rows& rows) {
    const Tensor part = narrow(hidden, 0, rows.first, rows.count);
    add_to(total, objective.loss(model.readout().logits(part), vocabulary, batch, rows.first));
  });
  return total;
}

Tensor backward_from_loss(const Model& model, const Objective& objective, Flow out,
                          const Batch& batch, double weight, const BackwardOptions& options) {
  const SharedVocabulary vocabulary = model.readout().vocabulary();
  const Tensor hidden = rows_of(out.hidden);
  const bool sends_back = out.hidden.requires_grad();  // something before the readout is trained
  const Tensor gradient = sends_back ? Tensor::empty_like(hidden) : Tensor();
  const auto rows_in = [](const Tensor& all, const Rows& rows) {
    return all.alias(all.view().slice(0, rows.first, rows.count));
  };
  Tensor total;
  for_each_chunk(hidden, vocabulary, batch.copies, [&](const Rows& rows) {
    Tensor part = rows_in(hidden, rows);
    if (sends_back) {
      part = make_leaf(part);
      leaf_of(part).grad = rows_in(gradient, rows);
    }
    const Tensor loss = objective.loss(model.readout().logits(part), vocabulary, batch, rows.first);
    add_to(total, loss);
    backward(loss, Tensor::full(hidden.backend(), {1}, loss.dtype(), weight),
             {.release_shared = rows.is_last && options.release_shared});
  });
  if (!sends_back) return total;
  backward(out.hidden, gradient.alias(gradient.view().reshape(out.hidden.shape())), options);
  return total;
}

}  // namespace ty
