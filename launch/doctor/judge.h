// What the facts about a machine mean for a job.
#pragma once

#include <vector>

#include "launch/doctor/check.h"
#include "launch/doctor/machine_facts.h"

namespace ty {

// One check per subject, in the order of printing.
std::vector<Check> judge(const MachineFacts& facts);

}  // namespace ty
