// What the facts about GPUs and their libraries mean for a job.
#pragma once

#include <string>

#include "launch/doctor/check.h"
#include "launch/doctor/machine_facts.h"

namespace ty {

// The card and its driver.
Check check_gpu(const MachineFacts& facts);
// This build's part for it, with toolkit and products.
Check check_cuda(const MachineFacts& facts);
// A library that is looked for when the module is open. version: 91900 or 22809, as it says; 0: not
// found.
Check check_cuda_library(const std::string& name, const CudaStatus& cuda, int version);

}  // namespace ty
