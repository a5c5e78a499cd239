// A backend that says of each kernel what it reads and writes, and has another one compute it.
#pragma once

#include "core/backend/backend.h"
#include "tests/support/fake_gpu/fake_gpu.h"

namespace ty::test {

class DeclaringBackend : public Backend {
 public:
  bool has_host_memory() const override { return false; }

#include "core/backend/overrides.inc"
  void gemm_bias(const View& c, const View& a, const View& b, const View& bias) override;

 protected:
  // Who computes.
  virtual Backend& math() = 0;
  const Backend& math() const { return const_cast<DeclaringBackend*>(this)->math(); }
  virtual void put(const char* name, std::function<void()> run,
                   const std::vector<FakeAccess>& accesses) = 0;
  // Kernels that write `out` and read `in`; views without data are none.
  void put_views(const char* name, std::function<void()> run, std::initializer_list<View> out,
                 std::initializer_list<View> in);
};

}  // namespace ty::test
