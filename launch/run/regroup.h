// Another layout for a job whose number of ranks has changed.
#pragma once

#include <optional>

#include "launch/job/job_config.h"

namespace ty {

// Overrides with which a job runs on so many ranks, with the same batch: its own tensor and
// pipeline degrees if they fit, else those smaller ones with which a step takes the least time by
// prediction; and no more micro-batches than a data rank then has sequences. Nothing if no layout
// of so many ranks can run it.
std::optional<config::Overrides> regrouped(const JobConfig& job, int ranks);

}  // namespace ty
