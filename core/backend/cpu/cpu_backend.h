// The fast host backend: OpenMP threads over pieces of work whose boundaries depend on shapes
// alone, SIMD span functions inside, matrix products by libraries. Rare cases (odd strides, integer
// types) fall back to the reference loops.
#pragma once

#include "core/backend/reference/reference_backend.h"

namespace ty {

class CpuBackend final : public Backend {
 public:
  explicit CpuBackend(Products products) : products_(products) {}
  std::string_view name() const override { return "cpu"; }
  Allocator& memory() override { return memory_; }
  void synchronize() override {}
  void side_by_side(int count, const std::function<void(int)>& body) override;

#include "core/backend/overrides.inc"

 private:
  // contract() with its dimensions in the best order; T is a's element type.
  template <typename T>
  void contract_as(const Unfolding& c, const Unfolding& a, const Unfolding& b, double beta);
  // Few results with long sums: better to share the sums among threads than the results.
  static bool is_long_sum(std::int64_t rows, std::int64_t columns, std::int64_t inner);
  // gemm() of a few rows (host_workspace::has_few_rows): bound by the reading of b.
  void gemm_of_few_rows(const View& c, const View& a, const View& b, GemmScale scale);
  // gemm() of matrices that BLAS cannot take as they are, through fp32 copies.
  void gemm_in_panels(const View& c, const View& a, const View& b, GemmScale scale);
  // Size of the team of a parallel region, and the caller's number in it.
  static std::int64_t threads();
  static std::int64_t thread();

  Products products_;
  HostAllocator memory_;
  ReferenceBackend reference_;
};

}  // namespace ty
