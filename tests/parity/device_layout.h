// A tiny job's layout over ranks of a FakeGpu, whose tensors go over NCCL's calls.
#pragma once

#include "launch/run/training_setup.h"
#include "tests/parity/tiny_training.h"

namespace ty::test {

inline JobConfig job_of(const MeshShape& mesh, const config::Overrides& more) {
  JobConfig job = tiny_job(mesh.data, mesh.tensor, more);
  job.parallel.pipeline = mesh.pipeline;
  return job;
}

inline ty::Layout layout_over(const Group& host, const Group& device, Backend& backend,
                              const JobConfig& job, const MeshShape& shape) {
  Mesh mesh(host, shape);
  mesh.carry_over(backend, device);
  return ty::layout_over(job, std::move(mesh), backend);
}

}  // namespace ty::test
