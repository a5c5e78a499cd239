// A backend without memory and without arithmetic: it runs any of our programs in no time, counts
// what the program would allocate and compute, and reads as zeros. A training step is planned by
// running it on this backend, so the plan cannot miss an allocation.
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
  // Stands in for a backend of this device model; by default the host's, with all its threads.
  DryBackend();
  explicit DryBackend(const DeviceModel& device) : device_(device) {}
  const DryCounts& counts() const { return counts_; }
  void reset_counts() { counts_ = {}; }

  std::string_view name() const override { return "dry"; }
  Allocator& memory() override { return memory_; }
  void synchronize() override {}

#include "core/backend/overrides.inc"

 private:
  // Counts so many bytes as workspace for the duration of one kernel.
  void take(std::int64_t bytes);
  void touch(std::initializer_list<const View*> operands);

  PhantomAllocator memory_;
  DeviceModel device_;
  DryCounts counts_;
};

}  // namespace ty
