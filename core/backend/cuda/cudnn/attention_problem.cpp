#include "core/backend/cuda/cudnn/attention_problem.h"

#include <fmt/format.h>

#include <array>

namespace ty::cudnn {

HeadStrides head_strides(const View& x) { return {x.strides[0], x.strides[1], x.strides[2]}; }

AttentionProblem forward_problem(const View& y, const View& q, const View& k, const View& v,
                                 const AttentionOptions& options, Drops drops) {
  AttentionProblem p;
  p.dtype = q.dtype;
  p.batch = q.shape[0];
  p.heads = q.shape[1];
  p.queries = q.shape[2];
  p.keys = k.shape[2];
  p.width = q.shape[3];
  p.q = head_strides(q);
  p.k = head_strides(k);
  p.v = head_strides(v);
  p.y = head_strides(y);
  p.causal = options.causal;
  p.lengths = options.lengths.data != nullptr;
  p.scale = static_cast<float>(options.scale);
  if (options.dropout.p > 0.0) {
    p.drops = drops;
    p.keep = static_cast<float>(1.0 - options.dropout.p);
  }
  return p;
}

AttentionProblem grad_problem(const AttentionProblem& forward, const View& dq, const View& dk,
                              const View& dv, const View& dy, bool repeatable) {
  AttentionProblem p = forward;
  p.gradients = repeatable ? Gradients::repeatable : Gradients::fast;
  p.dq = head_strides(dq);
  p.dk = head_strides(dk);
  p.dv = head_strides(dv);
  p.dy = head_strides(dy);
  return p;
}

namespace {

constexpr std::int64_t kMostWidth = 128;
constexpr std::int64_t kVector = 8;  // elements of 16 bytes
constexpr std::int64_t kTile = 128;  // keys

bool is_aligned(const HeadStrides& s) {
  return s.batch % kVector == 0 && s.head % kVector == 0 && s.row % kVector == 0;
}

}  // namespace

std::string reason_against(const AttentionProblem& p) {
  if (p.dtype != DType::bf16 && p.dtype != DType::f16) {
    return fmt::format("attention in {}; cuDNN computes bf16 and fp16", name_of(p.dtype));
  }
  if (p.batch < 1 || p.heads < 1 || p.queries < 1 || p.keys < 1) return "there is nothing to do";
  if (p.width % kVector != 0 || p.width > kMostWidth) {
    return fmt::format("heads of width {}; cuDNN wants multiples of {} up to {}", p.width, kVector,
                       kMostWidth);
  }
  for (const HeadStrides& strides : {p.q, p.k, p.v, p.y, p.dq, p.dk, p.dv, p.dy}) {
    if (!is_aligned(strides)) {
      return fmt::format("rows {} elements apart; cuDNN wants all strides to be multiples of {}",
                         strides.row, kVector);
    }
  }
  if (p.causal && p.queries > p.keys) {
    return fmt::format(
        "causal attention of {} queries over {} keys; the first see none, which "
        "cuDNN turns into NaN",
        p.queries, p.keys);
  }
  if (p.causal && p.queries != p.keys && p.drops != Drops::nothing) {
    return fmt::format("causal attention of {} queries over {} keys with dropout", p.queries,
                       p.keys);
  }
  return "";
}

bool hides_tail(const AttentionProblem& p) {
  return p.gradients != Gradients::none && !p.causal && p.keys % kTile != 0;
}

std::string describe(const AttentionProblem& p) {
  constexpr std::array kPasses = {"", "gradients of ", "repeatable gradients of "};
  constexpr std::array kDrops = {"", ", drawn dropout", ", dropout by mask"};
  return fmt::format("{}{}attention {} x {} x {} x {} x {} {}{}{}",
                     kPasses[static_cast<std::size_t>(p.gradients)], p.causal ? "causal " : "",
                     p.batch, p.heads, p.queries, p.keys, p.width, name_of(p.dtype),
                     p.lengths ? ", padded" : "", kDrops[static_cast<std::size_t>(p.drops)]);
}

}  // namespace ty::cudnn
