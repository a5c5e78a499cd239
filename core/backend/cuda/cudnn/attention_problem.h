// AttentionProblem: one attention that a plan is compiled for, as data. Two problems that are equal
// share a plan.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "core/backend/options.h"
#include "core/base/view.h"

namespace ty::cudnn {

// Who draws what attention drops. counter: cuDNN, from a seed and an offset in device memory; its
// numbers are not those of the CPU backend. mask: the caller, who brings a 0 or 1 for each
// probability, [B, H, Tq, Tk]: Tq * Tk elements per head.
enum class Drops : std::uint8_t { nothing, counter, mask };

// fast: the gradients of queries are added atomically, in an order that differs from run to run.
// repeatable: equal bits in every run, for a workspace that grows with Tq * Tk.
enum class Gradients : std::uint8_t { none, fast, repeatable };

// Of an operand [B, H, T, D] whose D elements are contiguous, in elements.
struct HeadStrides {
  std::int64_t batch = 0, head = 0, row = 0;
  auto operator<=>(const HeadStrides&) const = default;
};
HeadStrides head_strides(const View& x);

struct AttentionProblem {
  Gradients gradients = Gradients::none;  // none: the forward pass
  DType dtype = DType::bf16;
  std::int64_t batch = 1, heads = 1, queries = 1, keys = 1, width = 8;  // B, H, Tq, Tk, D
  HeadStrides q, k, v, y;
  HeadStrides dq, dk, dv, dy;  // of the backward pass
  bool causal = false;         // query i sees keys up to i + (Tk - Tq)
  bool lengths = false;        // batch entries have different numbers of keys
  Drops drops = Drops::nothing;
  float keep = 1.0f;   // probability
  float scale = 1.0f;  // of the scores, before softmax
  auto operator<=>(const AttentionProblem&) const = default;
};

// The problem of Backend::attention(); `drops` says how, if options.dropout drops anything.
AttentionProblem forward_problem(const View& y, const View& q, const View& k, const View& v,
                                 const AttentionOptions& options, Drops drops);
// That of Backend::attention_grad(), from the one of its forward pass.
AttentionProblem grad_problem(const AttentionProblem& forward, const View& dq, const View& dk,
                              const View& dv, const View& dy, bool repeatable);

// Why cuDNN has no plan for it, in one line; empty if nothing is known against it. The list is that
// of version 9.19 on compute capability 9.0, from its documentation and from what it refused here.
std::string reason_against(const AttentionProblem& problem);

// Whether gradients need lengths although all keys count. cuDNN works on tiles of 128 keys; behind
// the last key an unmasked tile has scores of 0, whose exp(0 - lse) overflows where a row's lse is
// below -88: NaN in dq (versions up to 9.26 at least). Lengths hide them.
bool hides_tail(const AttentionProblem& problem);

// "causal attention 2 x 12 x 1024 x 1024 x 64 bf16", for messages.
std::string describe(const AttentionProblem& problem);

}  // namespace ty::cudnn
