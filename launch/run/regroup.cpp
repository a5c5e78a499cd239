#include "launch/run/regroup.h"

#include <algorithm>

#include "core/base/error.h"
#include "launch/run/job_check.h"
#include "launch/run/model_setup.h"
#include "launch/run/pipeline_plan.h"
#include "parallel/pipeline/schedules.h"

namespace ty {

namespace {

// Of a rank among others on a machine; what counts is how they relate to each other.
const MachineRates kRates = {.flops_per_second = 5e10, .bytes_per_second = 5e9};

// The job on this mesh; whatever belongs to its own number of stages alone is left out.
JobConfig job_on(const JobConfig& job, const MeshShape& mesh) {
  JobConfig on = job;
  on.parallel.data = mesh.data;
  on.parallel.tensor = mesh.tensor;
  on.parallel.pipeline = mesh.pipeline;
  on.parallel.microbatches =
      std::clamp<std::int64_t>(job.data.batch / mesh.data, 1, job.parallel.microbatches);
  if (mesh.pipeline == stated_mesh(job).pipeline) return on;
  on.parallel.stages.clear();
  const bool interleaves = job.parallel.schedule == "interleaved" &&
                           on.parallel.microbatches % mesh.pipeline == 0 && mesh.pipeline > 1;
  if (!interleaves) on.parallel.chunks = 1;
  const bool serves_any_shape = schedule_named(job.parallel.schedule.string()).has_value() &&
                                job.parallel.schedule != "interleaved";
  if (!interleaves && !serves_any_shape) on.parallel.schedule = "1f1b";
  return on;
}

bool can_run(const JobConfig& job, const MeshShape& mesh) {
  try {
    check_job(job, mesh);
    return true;
  } catch (const ConfigError&) {
    return false;
  }
}

config::Overrides overrides_of(const JobConfig& job, const JobConfig& on) {
  config::Overrides overrides = {fmt::format("parallel.data={}", *on.parallel.data.value),
                                 fmt::format("parallel.tensor={}", *on.parallel.tensor.value),
                                 fmt::format("parallel.pipeline={}", *on.parallel.pipeline.value),
                                 fmt::format("parallel.microbatches={}", on.parallel.microbatches)};
  if (on.parallel.schedule != job.parallel.schedule) {
    overrides.push_back(fmt::format("parallel.schedule={}", on.parallel.schedule.string()));
  }
  if (on.parallel.chunks != job.parallel.chunks) {
    overrides.push_back(fmt::format("parallel.chunks={}", on.parallel.chunks));
  }
  if (on.parallel.stages != job.parallel.stages) overrides.emplace_back("parallel.stages=[]");
  return overrides;
}

}  // namespace

std::optional<config::Overrides> regrouped(const JobConfig& job, int ranks) {
  const MeshShape stated = stated_mesh(job);
  std::optional<JobConfig> best;
  double least = 0.0;
  for (int tensor = stated.tensor; tensor >= 1; --tensor) {
    for (int pipeline = stated.pipeline; pipeline >= 1; --pipeline) {
      if (stated.tensor % tensor != 0 || ranks % (tensor * pipeline) != 0) continue;
      const MeshShape mesh = {pipeline, ranks / (tensor * pipeline), tensor};
      if (mesh.data > job.data.batch) continue;
      const JobConfig on = job_on(job, mesh);
      if (!can_run(on, mesh)) continue;
      const bool is_own = tensor == stated.tensor && pipeline == stated.pipeline;
      if (is_own) return overrides_of(job, on);
      const double seconds = make_pipeline_plan(on, declared_model(on), ranks).step_seconds(kRates);
      if (best && seconds >= least) continue;
      best = on;
      least = seconds;
    }
  }
  return best ? std::optional(overrides_of(job, *best)) : std::nullopt;
}

}  // namespace ty
