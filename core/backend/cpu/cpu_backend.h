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
  Allocator& memory() override { return memory_; }
  void synchronize() override {}
  void side_by_side(int count, const std::function<void(int)>& body) override;

#include "core/backend/overrides.inc"

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
