#include <algorithm>
#include <vector>

#include "core/backend/cuda/device/fused_attention.h"
#include "core/backend/cuda/device/heads.h"
#include "core/backend/cuda/device/ids.h"
#include "core/backend/cuda/kernel/attention.h"
#include "core/backend/scratch.h"

namespace ty::cuda {

namespace {

using cudnn::AttentionProblem;
using cudnn::Binding;

// Batch entries of one run, a divisor of all, so that every run has the same plan.
std::int64_t entries_at_once(const View& q, const View& k, std::int64_t square_bytes) {
  const std::int64_t all = q.shape[0];
  const std::int64_t one = q.shape[1] * q.shape[2] * k.shape[2] * 2;
  std::int64_t count =
      std::clamp<std::int64_t>(square_bytes / std::max<std::int64_t>(one, 1), 1, all);
  while (all % count != 0) --count;
  return count;
}

bool is_aligned(const View& x) { return reinterpret_cast<std::uintptr_t>(x.data) % 16 == 0; }

bool can_be_read(std::initializer_list<const View*> operands) {
  return std::all_of(operands.begin(), operands.end(),
                     [](const View* x) { return is_aligned(*x) && x->strides[3] == 1; });
}

}  // namespace

// One call: some batch entries at a time.
class FusedAttention::Run {
 public:
  Run(FusedAttention& fused, const View& q, const View& k, const AttentionOptions& options)
      : fused_(fused), q_(q), k_(k), options_(options) {}

  // Of `problem`, which is that of `count` entries.
  void prepare(const AttentionProblem& problem, const cudnn::AttentionNeeds& needs,
               std::int64_t count) {
    problem_ = problem;
    count_ = count;
    const std::int64_t rows = count * q_.shape[1] * q_.shape[2];
    workspace_ = std::make_unique<Scratch>(memory(), std::max<std::int64_t>(needs.workspace, 1));
    if (needs.row_sum > 0) row_sum_ = scratch(DType::f32, {rows});
    if (needs.query_sum > 0) query_sum_ = scratch(DType::f32, {rows * q_.shape[3]});
    if (problem.drops != cudnn::Drops::nothing) {
      mask_ = scratch(q_.dtype, {count, q_.shape[1] * q_.shape[2] * k_.shape[2]});
    }
    if (problem.lengths) {
      key_lengths_ = scratch(DType::i32, {count});
      query_lengths_ = scratch(DType::i32, {count});
      fused_.backend_.fill(*query_lengths_, static_cast<double>(q_.shape[2]));
    }
  }

  // An operand's part of the entries from `first` on.
  View part(const View& x, std::int64_t first) const { return x.slice(0, first, count_); }

  void run(std::int64_t first, const View& lse, std::vector<Binding> bindings) {
    const View own = part(lse, first);
    const bool is_packed = own.is_contiguous() && is_aligned(own);
    const bool is_forward = problem_.gradients == cudnn::Gradients::none;
    if (!is_packed && lse_ == nullptr) lse_ = scratch(DType::f32, own.shape);
    bindings.push_back({cudnn::kLse, is_packed ? own.data : lse_->view().data});
    if (!is_packed && !is_forward) fused_.backend_.copy(*lse_, own);
    if (mask_ != nullptr) {
      draw_mask(first);
      bindings.push_back({cudnn::kMask, mask_->view().data});
    }
    if (problem_.lengths) {
      make_lengths(first);
      bindings.push_back({cudnn::kKeyLengths, key_lengths_->view().data});
      bindings.push_back({cudnn::kQueryLengths, query_lengths_->view().data});
    }
    if (row_sum_ != nullptr) bindings.push_back({cudnn::kRowSum, row_sum_->view().data});
    if (query_sum_ != nullptr) {
      fused_.backend_.fill(*query_sum_, 0.0);
      bindings.push_back({cudnn::kQuerySum, query_sum_->view().data});
    }
    fused_.launch_.announce("fused attention");
    fused_.engine_->run(problem_, bindings, workspace_->data());
    if (!is_packed && is_forward) fused_.backend_.copy(own, *lse_);
  }

  // Zeros in all of x [B, H, T, D] whose batch entry has no key.
  void clear_empty(const View& x) const {
    if (options_.lengths.data == nullptr) return;
    kernel::dispatch(x.dtype, "attention", [&](auto t) {
      using T = decltype(t);
      fused_.launch_("attention", fused_.launch_.for_threads(x.numel()), kernel::zero_empty<T>,
                     x.shape[0], x.shape[1], x.shape[2], x.shape[3], heads_of<T>(x),
                     ids_of(options_.lengths));
    });
  }

 private:
  Allocator& memory() const { return fused_.backend_.memory(); }
  std::unique_ptr<ScratchView> scratch(DType dtype, const Shape& shape) const {
    return std::make_unique<ScratchView>(memory(), dtype, shape);
  }

  // An entry without a key is computed as if it had one, since cuDNN would make NaN of it, and its
  // results are replaced by zeros.
  void make_lengths(std::int64_t first) {
    if (options_.lengths.data == nullptr) {
      return fused_.backend_.fill(*key_lengths_, static_cast<double>(k_.shape[2]));
    }
    fused_.launch_("attention", fused_.launch_.for_threads(count_), kernel::usable_lengths, count_,
                   k_.shape[2], ids_of(options_.lengths.slice(0, first, count_)),
                   key_lengths_->view().as<std::int32_t>());
  }

  // 1 for what is kept, 0 for what is dropped: the CPU's numbers. Kept ones come as 1 / (1 - p),
  // which 16 bits would round, so only their not being 0 is used.
  void draw_mask(std::int64_t first) {
    DropoutMask drops = options_.dropout;
    drops.first_row += first;
    drops.first_element += options_.first_head * q_.shape[2] * k_.shape[2];
    fused_.backend_.fill(*mask_, 1.0);
    fused_.backend_.dropout(*mask_, *mask_, drops);
    kernel::dispatch(q_.dtype, "attention", [&](auto t) {
      using T = decltype(t);
      const View x = *mask_;
      fused_.launch_("attention", fused_.launch_.for_threads(x.numel()), kernel::to_ones<T>,
                     x.numel(), x.as<T>());
    });
  }

  FusedAttention& fused_;
  View q_, k_;
  const AttentionOptions& options_;
  AttentionProblem problem_;
  std::int64_t count_ = 0;
  std::unique_ptr<ScratchView> lse_, mask_, key_lengths_, query_lengths_, row_sum_, query_sum_;
  std::unique_ptr<Scratch> workspace_;
};

bool FusedAttention::attention(const View& y, const View& lse, const View& q, const View& k,
                               const View& v, const AttentionOptions& options) {
  if (engine_ == nullptr || size_of(q.dtype) != 2 || !can_be_read({&y, &q, &k, &v})) return false;
  if (options.dropout.p > 0 && options.dropout.rows_per_sample != 1) return false;
  const bool drops = options.dropout.p > 0;
  const std::int64_t count = drops ? entries_at_once(q, k, square_bytes_) : q.shape[0];
  Run run(*this, q, k, options);
  const auto part = [&](const View& x, std::int64_t first) { return x.slice(0, first, count); };
  const AttentionProblem problem = cudnn::forward_problem(part(y, 0), part(q, 0), part(k, 0),
                                                          part(v, 0), options, cudnn::Drops::mask);
  const auto needs = engine_->needs(problem);
  if (!needs) return false;
  run.prepare(problem, *needs, count);
  for (std::int64_t first = 0; first < q.shape[0]; first += count) {
    run.run(first, lse,
            {{cudnn::kQ, part(q, first).data},
             {cudnn::kK, part(k, first).data},
             {cudnn::kV, part(v, first).data},
             {cudnn::kY, part(y, first).data}});
  }
  run.clear_empty(y);
  return true;
}

bool FusedAttention::attention_grad(const View& dq, const View& dk, const View& dv, const View& dy,
                                    const View& y, const View& lse, const View& q, const View& k,
                                    const View& v, const AttentionOptions& options) {
  if (engine_ == nullptr || size_of(q.dtype) != 2) return false;
  if (!can_be_read({&dq, &dk, &dv, &dy, &y, &q, &k, &v})) return false;
  if (options.dropout.p > 0 && options.dropout.rows_per_sample != 1) return false;
  const bool has_squares = repeatable_ || options.dropout.p > 0;
  const std::int64_t count = has_squares ? entries_at_once(q, k, square_bytes_) : q.shape[0];
  const auto part = [&](const View& x, std::int64_t first) { return x.slice(0, first, count); };
  AttentionProblem problem =
      cudnn::grad_problem(cudnn::forward_problem(part(y, 0), part(q, 0), part(k, 0), part(v, 0),
                                                 options, cudnn::Drops::mask),
                          part(dq, 0), part(dk, 0), part(dv, 0), part(dy, 0), repeatable_);
  problem.lengths = problem.lengths || cudnn::hides_tail(problem);
  const auto needs = engine_->needs(problem);
  if (!needs) return false;
  Run run(*this, q, k, options);
  run.prepare(problem, *needs, count);
  if (options.lengths.data != nullptr) {  // rows behind a length may not be written
    backend_.fill(dk, 0.0);
    backend_.fill(dv, 0.0);
  }
  for (std::int64_t first = 0; first < q.shape[0]; first += count) {
    run.run(first, lse,
            {{cudnn::kQ, part(q, first).data},
             {cudnn::kK, part(k, first).data},
             {cudnn::kV, part(v, first).data},
             {cudnn::kY, part(y, first).data},
             {cudnn::kDy, part(dy, first).data},
             {cudnn::kDq, part(dq, first).data},
             {cudnn::kDk, part(dk, first).data},
             {cudnn::kDv, part(dv, first).data}});
  }
  for (const View* x : {&dq, &dk, &dv}) run.clear_empty(*x);
  return true;
}

}  // namespace ty::cuda
