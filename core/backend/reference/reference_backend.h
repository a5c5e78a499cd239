// The oracle: every kernel as plain loops over indices, one thread, nothing clever.
#pragma once

#include "core/backend/backend.h"

namespace ty {

class ReferenceBackend : public Backend {
 public:
  std::string_view name() const override { return "reference"; }
  Allocator& memory() override { return memory_; }
  void synchronize() override {}

#include "core/backend/overrides.inc"

 private:
  HostAllocator memory_;
};

}  // namespace ty
