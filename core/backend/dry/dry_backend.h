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
  // Stands for a backend of this kind; the host's with all its threads, by default.
  DryBackend();
  explicit DryBackend(const DeviceModel& device) : device_(device) {}
  const DryCounts& counts() const { return counts_; }
  void reset_counts() { counts_ = {}; }

  std::string_view name() const override { return "dry"; }
  Allocator& memory() override { return memory_; }
  void synchronize() override {}

#include "core/backend/overrides.inc"

 private:
  // So many bytes for the time of one kernel.
  void take(std::int64_t bytes);
  void touch(std::initializer_list<const View*> operands);

  PhantomAllocator memory_;
  DeviceModel device_;
  DryCounts counts_;
};

}  // namespace ty
