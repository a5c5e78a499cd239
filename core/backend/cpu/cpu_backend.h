// The fast host backend: OpenMP threads over pieces of work whose cuts depend on shapes alone, SIMD
// span functions inside, matrix products by libraries. Rare cases (odd strides, integer types) go
// to the reference loops.
#pragma once

#include "core/backend/reference/reference_backend.h"

namespace ty {

class CpuBackend final : public Backend {
 public:
  explicit CpuBackend(Products products) : products_(products) {}
  std::string_view name() const override { return "cpu"; }
  Device device() const override { return Device::cpu; }
  Allocator& memory() override { return memory_; }
  void synchronize() override {}
  int workers() const override { return static_cast<int>(threads()); }
  void side_by_side(int count, const std::function<void(int)>& body) override;
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
  // contract() with dimensions in the best order; T is a's type.
  template <typename T>
  void contract_as(const Unfolding& c, const Unfolding& a, const Unfolding& b, double beta);
  // Few results of long sums: threads had better share the sums.
  static bool is_long_sum(std::int64_t rows, std::int64_t columns, std::int64_t inner);
  // gemm() of matrices that BLAS cannot take as they are, by way of fp32 copies.
  void gemm_in_panels(const View& c, const View& a, const View& b, GemmScale scale);
  // Size of the team a parallel region gets, and the caller's number in it.
  static std::int64_t threads();
  static std::int64_t thread();

  Products products_;
  HostAllocator memory_;
  ReferenceBackend reference_;
};

}  // namespace ty
