// Backend: the one interface to kernels and memory of a device.
//
// Rules for implementers. Kernels work on views, know neither tensors nor autograd, may assume that
// the caller checked dtypes and shapes, accumulate bf16 and fp16 in float, and give the same bits
// for any number of threads (large products may be an exception: see Products). Outputs come first
// and are overwritten unless a factor `beta` (y = beta * y + result) or the word "adds" says
// otherwise; beta 0 never reads the output. An output may be the same view as an input of the same
// shape where a comment says "in place". All floating-point views of one call share a dtype unless
// a comment says otherwise.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "core/backend/allocator.h"
#include "core/backend/device_model.h"
#include "core/backend/options.h"

namespace ty {

class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string_view name() const = 0;
  virtual Allocator& memory() = 0;
  // Waits until all kernels issued so far have finished.
  virtual void synchronize() = 0;

  // Whether its views lie in this process's own memory.
  virtual bool has_host_memory() const { return true; }

  // How work is best partitioned for this device, and what it costs there in this type.
  virtual WorkShape work_shape() const = 0;
  virtual CostModel cost_model(DType dtype) const = 0;
  DeviceModel device_model(DType dtype) const { return {work_shape(), cost_model(dtype)}; }
  // Runs body(0) .. body(count - 1) concurrently, each kernel on one thread; count: workers, or how
  // many pieces of work there are if that is less and more than one (the kernels of a single piece
  // had better share the workers). A body must not allocate, so that memory peaks are the same in
  // every run. Rethrows the first error.
  virtual void side_by_side(int count, const std::function<void(int)>& body) {
    for (int i = 0; i < count; ++i) body(i);
  }

  // Host memory <-> a contiguous view of this backend; blocking.
  virtual void read(void* host, const View& x) = 0;
  virtual void write(const View& y, const void* host) = 0;

  // y = x, any strides, any two dtypes (floats to floats, integers to integers).
  virtual void copy(const View& y, const View& x) = 0;
  virtual void fill(const View& y, double value) = 0;
  // y = alpha x + beta y. Same shape; dtypes may differ. In place.
  virtual void axpby(const View& y, double alpha, const View& x, double beta) = 0;
  // y = op(x). In place.
  virtual void unary(UnaryOp op, const View& y, const View& x) = 0;
  // dx = dy * op'(x). dx may be dy.
  virtual void unary_grad(UnaryOp op, const View& dx, const View& x, const View& dy) = 0;
  // y = a op b with a and b expanded to y's shape. In place on an operand of y's shape.
  virtual void binary(BinaryOp op, const View& y, const View& a, const View& b) = 0;
  // y = beta y + sum of x over the dimensions in which y (same rank) has size 1. y may be wider
  // (fp32 or fp64) than x.
  virtual void reduce_sum(const View& y, const View& x, double beta) = 0;
  // y = x with elements dropped; the same call on dy is the gradient. In place.
  virtual void dropout(const View& y, const View& x, const DropoutMask& mask) = 0;

  // c = alpha a b + beta c. a [..., M, K], b [..., K, N], c [..., M, N], any strides in which the
  // last two dimensions are row- or column-major; leading dimensions of a and b expand to c's.
  // c may be wider than a and b.
  virtual void gemm(const View& c, const View& a, const View& b, GemmScale scale) = 0;
  // c = a b + bias for matrices, bias [N] added to every row: gemm(), then binary(), or both at
  // once where that rounds alike. A bias without data is none.
  virtual void gemm_bias(const View& c, const View& a, const View& b, const View& bias) {
    gemm(c, a, b, {});
    if (bias.data != nullptr) binary(BinaryOp::add, c, c, bias);
  }
  // c = a b + beta c for unfoldings: the dimensions that make up rows and columns may lie in memory
  // in any order. a and b fp32 or fp64, c of any float type. Fastest where c's columns are
  // contiguous. Not in place.
  virtual void contract(const Unfolding& c, const Unfolding& a, const Unfolding& b,
                        double beta) = 0;

  // y = (x - mean) rstd gamma + beta over the last dimension. x, y [N, C]; gamma, beta [C];
  // mean, rstd [N] in the accumulator type (float, or double for fp64).
  virtual void layer_norm(const View& y, const View& mean, const View& rstd, const View& x,
                          const View& gamma, const View& beta, double eps) = 0;
  // dx (may be dy); dgamma, dbeta [C]: sums over rows.
  virtual void layer_norm_grad(const View& dx, const View& dgamma, const View& dbeta,
                               const View& dy, const View& x, const View& mean, const View& rstd,
                               const View& gamma) = 0;

  // y = dropout(softmax(scale q k^T)) v for every batch entry and head. q, y [B, H, Tq, D], k, v
  // [B, H, Tk, D], strided with D contiguous; lse [B, H, Tq] in the accumulator type: the logarithm
  // of each row's softmax denominator. A query that sees no key yields zeros.
  virtual void attention(const View& y, const View& lse, const View& q, const View& k,
                         const View& v, const AttentionOptions& options) = 0;
  // Gradients of attention(), probabilities recomputed from lse. Shapes as there.
  virtual void attention_grad(const View& dq, const View& dk, const View& dv, const View& dy,
                              const View& y, const View& lse, const View& q, const View& k,
                              const View& v, const AttentionOptions& options) = 0;

  // y[n, :] = table[ids[n] - first, :], or zeros for ids of other slices. y [N, C], table [V, C],
  // ids [N] int32.
  virtual void gather_rows(const View& y, const View& table, const View& ids,
                           VocabularySlice slice = {}) = 0;
  // table[ids[n] - first, :] += dy[n, :], rows of one id in order of n; ids of other slices are
  // skipped.
  virtual void scatter_add_rows(const View& table, const View& dy, const View& ids,
                                VocabularySlice slice = {}) = 0;

  // With e and z of the terms, W ids in the whole vocabulary and t = targets[n] - first:
  //
  //   loss[n] = lse[n] - (1 - e) logits[n, t] - e / W sum(logits[n, :]) + z lse[n]^2
  //
  // and 0 where targets[n] < 0. lse and the sum are taken over these logits alone; where another
  // slice holds the target, its logit counts as 0. logits [N, V], targets [N] int32; loss, lse [N]
  // in the accumulator type.
  virtual void cross_entropy(const View& loss, const View& lse, const View& logits,
                             const View& targets, VocabularySlice slice = {},
                             const CrossEntropyTerms& terms = {}) = 0;
  // dlogits[n, :] = dloss[n] g, 0 where targets[n] < 0, with
  //
  //   g = (1 + 2 z lse[n]) exp(logits[n, :] - lse[n]) - (1 - e) one_hot(t) - e / W
  //
  // without the middle term where another slice holds the target. Here lse is that of the whole
  // vocabulary. dloss [N] (any strides) in the accumulator type. dlogits may be logits.
  virtual void cross_entropy_grad(const View& dlogits, const View& logits, const View& lse,
                                  const View& targets, const View& dloss,
                                  VocabularySlice slice = {},
                                  const CrossEntropyTerms& terms = {}) = 0;

  // Element (r, c) of y [R, C] = std * normal(stream, 0, first + r * row_step + c): a part of a
  // matrix draws the same numbers as the whole would (core/base/slice.h).
  virtual void random_normal(const View& y, const RandomStream& stream, std::int64_t first,
                             std::int64_t row_step, double std) = 0;

  // y = x, rounded up or down at random so that the mean is x (Gupta et al., arXiv 1502.02551):
  // element i by stream.word(0, first + i). x fp32, y bf16 or fp16, contiguous, one shape.
  virtual void round_stochastic(const View& y, const View& x, const RandomStream& stream,
                                std::int64_t first) = 0;

  // y = x where an element's score is among the `kept` largest of all, 0 elsewhere; of equal scores
  // the first ones are the larger, and all zeros are equal. Contiguous, one shape; y may be x, of
  // whose type it is; scores of any.
  virtual void keep_largest(const View& y, const View& x, const View& scores,
                            std::int64_t kept) = 0;

  // Sum of squares of x (contiguous), accumulated in double and written to y [1] fp64.
  virtual void sum_squares(const View& y, const View& x) = 0;
  // y = y min(1, limit / sqrt(squares[0])): a part of what has this sum of squares, held to a norm
  // of `limit`. y fp32 or fp64, contiguous; squares [1] fp64.
  virtual void limit_norm(const View& y, const View& squares, double limit) = 0;
  // y = y / (offset + the sum of squares[i]^(1 / root)). y fp32 or fp64, contiguous; squares [N]
  // fp64, contiguous, N small; offset > 0.
  virtual void divide_by_norms(const View& y, const View& squares, double root, double offset) = 0;
  // One step of AdamW (Loshchilov and Hutter, arXiv 1711.05101) on contiguous ranges of equal
  // length: w fp32 or fp64, m and v of w's dtype, gradient of any float type; low, if it has data,
  // receives the bf16 or fp16 copy of w that the model reads.
  virtual void adamw(const View& w, const View& m, const View& v, const View& low,
                     const View& gradient, const AdamW& options) = 0;
  // v = momentum v + (g + weight_decay w); w -= lr v. v may have no data when momentum is 0.
  virtual void sgd(const View& w, const View& v, const View& low, const View& gradient,
                   const Sgd& options) = 0;
};

// Plain loops, one thread: the oracle that every other backend is tested against.
std::unique_ptr<Backend> make_reference_backend();
// How a backend computes large products. fastest: a library may split sums by the number of
// threads, which then affects the last bits. fixed: the same bits for any number of threads, as in
// all other kernels.
enum class Products : std::uint8_t { fastest, fixed };
// OpenMP threads, SIMD chosen at run time, products by libraries.
std::unique_ptr<Backend> make_cpu_backend(Products products = Products::fastest);

}  // namespace ty
