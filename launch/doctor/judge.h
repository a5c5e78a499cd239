// From what a machine is to what that means for a job.
#pragma once

#include <vector>

#include "launch/doctor/check.h"
#include "launch/doctor/machine_facts.h"

namespace ty {

// One check per thing, in the order in which they are printed.
std::vector<Check> judge(const MachineFacts& facts);

}  // namespace ty
