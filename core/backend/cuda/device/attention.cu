// Attention where there is no fused kernel for it (fused_attention.h): products and a softmax
// between them, the scores of a few batch entries at a time in memory. Exact in every type, with
// any mask; slower and with more memory.
#include <algorithm>

#include "core/backend/cuda/device/cuda_backend.h"
#include "core/backend/cuda/device/heads.h"
#include "core/backend/cuda/device/ids.h"
#include "core/backend/cuda/device/masks.h"
#include "core/backend/cuda/kernel/attention.h"

namespace ty::cuda {

namespace {

constexpr std::int64_t kScoreBytes = std::int64_t{256} << 20;  // of one kind of scores, at most

// Batch entries whose scores are held at once, at least one.
std::int64_t entries_at_once(const View& q, const View& k) {
  const std::int64_t one = q.shape[1] * q.shape[2] * k.shape[2] *
                           static_cast<std::int64_t>(size_of(accumulator_of(q.dtype)));
  return std::clamp<std::int64_t>(kScoreBytes / std::max<std::int64_t>(one, 1), 1, q.shape[0]);
}

template <typename A>
kernel::Scores<A> scores_of(const View& q, const View& k, const AttentionOptions& o,
                            std::int64_t first) {
  return {.entries = q.shape[0],
          .heads = q.shape[1],
          .queries = q.shape[2],
          .keys = k.shape[2],
          .first_entry = first,
          .first_head = o.first_head,
          .causal = o.causal,
          .lengths = ids_of(o.lengths),
          .drops = o.dropout.p > 0,
          .mask = mask_of<A>(o.dropout)};
}

View entries_of(const View& x, std::int64_t first, std::int64_t count) {
  return x.slice(0, first, count);
}

}  // namespace

void CudaBackend::note_lengths(const View& k, const AttentionOptions& options) {
  if (options.lengths.data == nullptr) return;
  launch_("attention", launch_.for_threads(k.shape[0]), kernel::check_lengths, k.shape[0],
          k.shape[2], ids_of(options.lengths), fault_);
}

View CudaBackend::without_tail(const View& x, const AttentionOptions& options, std::int64_t first,
                               std::int64_t entries, std::unique_ptr<ScratchView>& memory) {
  const View part = entries_of(x, first, entries);
  if (options.lengths.data == nullptr) return part;
  memory = std::make_unique<ScratchView>(memory_, part.dtype, part.shape);
  const View y = *memory;
  kernel::dispatch(x.dtype, "attention", [&](auto t) {
    using T = decltype(t);
    launch_("attention", launch_.for_threads(y.numel()), kernel::zero_behind<T>, y.shape[0],
            y.shape[1], y.shape[2], y.shape[3], first, y.as<T>(), heads_of<const T>(part),
            ids_of(options.lengths));
  });
  return y;
}

void CudaBackend::attention(const View& y, const View& lse, const View& q, const View& k,
                            const View& v, const AttentionOptions& options) {
  if (q.numel() == 0) return;
  note_lengths(k, options);
  if (fused_->attention(y, lse, q, k, v, options)) return;
  const std::int64_t most = entries_at_once(q, k);
  for (std::int64_t first = 0; first < q.shape[0]; first += most) {
    const std::int64_t count = std::min(most, q.shape[0] - first);
    std::unique_ptr<ScratchView> k_memory, v_memory, narrow;
    const View qs = entries_of(q, first, count);
    const View ks = without_tail(k, options, first, count, k_memory);
    const View vs = without_tail(v, options, first, count, v_memory);
    const Shape shape{count, q.shape[1], q.shape[2], k.shape[2]};
    const ScratchView scores(memory_, accumulator_of(q.dtype), shape);
    View p = scores;
    if (p.dtype != q.dtype) p = *(narrow = std::make_unique<ScratchView>(memory_, q.dtype, shape));
    multiply(scores, qs, ks.transpose(2, 3), {options.scale, 0.0});
    kernel::dispatch(q.dtype, "attention", [&](auto t) {
      using T = decltype(t);
      using A = kernel::Accumulator<T>;
      const auto s = scores_of<A>(qs, ks, options, first);
      launch_("attention", launch_.for_warps(count * s.heads * s.queries), kernel::softmax<A, T>, s,
              p.as<T>(), heads_of<A>(entries_of(lse, first, count)), scores.view().as<const A>());
    });
    multiply(entries_of(y, first, count), p, vs, {});
  }
}

void CudaBackend::attention_grad(const View& dq, const View& dk, const View& dv, const View& dy,
                                 const View& y, const View& lse, const View& q, const View& k,
                                 const View& v, const AttentionOptions& options) {
  if (q.numel() == 0) return;
  note_lengths(k, options);
  if (fused_->attention_grad(dq, dk, dv, dy, y, lse, q, k, v, options)) return;
  const std::int64_t most = entries_at_once(q, k);
  for (std::int64_t first = 0; first < q.shape[0]; first += most) {
    const std::int64_t count = std::min(most, q.shape[0] - first);
    const auto part = [&](const View& x) { return entries_of(x, first, count); };
    std::unique_ptr<ScratchView> k_memory, v_memory, p_memory, ds_memory;
    const View qs = part(q), dys = part(dy);
    const View ks = without_tail(k, options, first, count, k_memory);
    const View vs = without_tail(v, options, first, count, v_memory);
    const Shape shape{count, q.shape[1], q.shape[2], k.shape[2]};
    const DType wide = accumulator_of(q.dtype);
    const ScratchView scores(memory_, wide, shape), dp(memory_, wide, shape);
    View p = scores, ds = dp;
    if (wide != q.dtype) {
      p = *(p_memory = std::make_unique<ScratchView>(memory_, q.dtype, shape));
      ds = *(ds_memory = std::make_unique<ScratchView>(memory_, q.dtype, shape));
    }
    multiply(scores, qs, ks.transpose(2, 3), {options.scale, 0.0});
    multiply(dp, dys, vs.transpose(2, 3), {});
    kernel::dispatch(q.dtype, "attention_grad", [&](auto t) {
      using T = decltype(t);
      using A = kernel::Accumulator<T>;
      const auto s = scores_of<A>(qs, ks, options, first);
      launch_("attention_grad", launch_.for_warps(count * s.heads * s.queries),
              kernel::softmax_grad<A, T>, s, static_cast<A>(options.scale), q.shape[3], p.as<T>(),
              ds.as<T>(), scores.view().as<const A>(), dp.view().as<const A>(),
              heads_of<const A>(part(lse)), heads_of<const T>(dys), heads_of<const T>(part(y)));
    });
    multiply(part(dv), p.transpose(2, 3), dys, {});
    multiply(part(dq), ds, ks, {});
    multiply(part(dk), ds.transpose(2, 3), qs, {});
  }
}

}  // namespace ty::cuda
