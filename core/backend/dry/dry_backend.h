// A backend without memory and without arithmetic: it runs any program of ours in no time, counts
// what the program would allocate and compute, and reads as zeros. A plan of a training step is a
// training step on this backend, so it cannot forget an allocation.
#pragma once

#include "core/backend/backend.h"

namespace ty {

struct DryCounts {
  double matrix_flops = 0;  // 2 M N K per product; attention products included
  double bytes = 0;         // operands of all kernels, each counted once per call
  std::int64_t kernels = 0;
};

class DryBackend : public Backend {
 public:
  // Stands for a backend with so many workers; the host's, by default.
  DryBackend();
  explicit DryBackend(int workers) : workers_(workers) {}
  const DryCounts& counts() const { return counts_; }
  void reset_counts() { counts_ = {}; }

  std::string_view name() const override { return "dry"; }
  Device device() const override { return Device::cpu; }
  Allocator& memory() override { return memory_; }
  void synchronize() override {}
  int workers() const override { return workers_; }
  void read(void* host, const View& x) override;
  void write(const View& y, const void* host) override;

  void copy(const View& y, const View& x) override;
  void fill(const View& y, double value) override;
  void axpby(const View& y, double alpha, const View& x, double beta) override;
  void unary(UnaryOp op, const View& y, const View& x) override;
  void unary_grad(UnaryOp op, const View& dx, const View& x, const View& dy) override;
  void binary(BinaryOp op, const View& y, const View& a, const View& b) override;
  void reduce_sum(const View& y, const View& x, double beta) override;
  void dropout(const View& y, const View& x, const DropoutMask& mask) override;
  void gemm(const View& c, const View& a, const View& b, GemmScale scale) override;
  void contract(const Unfolding& c, const Unfolding& a, const Unfolding& b, double beta) override;
  void layer_norm(const View& y, const View& mean, const View& rstd, const View& x,
                  const View& gamma, const View& beta, double eps) override;
  void layer_norm_grad(const View& dx, const View& dgamma, const View& dbeta, double accumulate,
                       const View& dy, const View& x, const View& mean, const View& rstd,
                       const View& gamma) override;
  void attention(const View& y, const View& lse, const View& q, const View& k, const View& v,
                 const AttentionOptions& options) override;
  void attention_grad(const View& dq, const View& dk, const View& dv, const View& dy, const View& y,
                      const View& lse, const View& q, const View& k, const View& v,
                      const AttentionOptions& options) override;
  void gather_rows(const View& y, const View& table, const View& ids) override;
  void scatter_add_rows(const View& table, const View& dy, const View& ids) override;
  void cross_entropy(const View& loss, const View& lse, const View& logits,
                     const View& targets) override;
  void cross_entropy_grad(const View& dlogits, const View& logits, const View& lse,
                          const View& targets, const View& dloss) override;
  void random_normal(const View& y, const RandomStream& stream, std::int64_t first,
                     std::int64_t row_step, double std) override;
  void round_stochastic(const View& y, const View& x, const RandomStream& stream,
                        std::int64_t first) override;
  void sum_squares(const View& y, const View& x) override;
  void adamw(const View& w, const View& m, const View& v, const View& low, const View& gradient,
             const AdamW& options) override;
  void sgd(const View& w, const View& v, const View& low, const View& gradient,
           const Sgd& options) override;

 private:
  // So many bytes for the time of one kernel.
  void take(std::int64_t bytes);
  void touch(std::initializer_list<const View*> operands);

  PhantomAllocator memory_;
  int workers_;
  DryCounts counts_;
};

}  // namespace ty
