// One rank of a tiny job whose loss falls within a few steps, in any layout.
#pragma once

#include <omp.h>

#include <memory>
#include <vector>

#include "launch/run/training_setup.h"
#include "tests/support/tensors.h"

namespace ty::test {

inline constexpr std::int64_t kLength = 12, kBatch = 8, kVocab = 19;

inline JobConfig tiny_job(int data, int tensor, const config::Overrides& more = {}) {
  config::Overrides overrides = {
      "model={layers: 2, width: 24, heads: 4, inner: 48, context: 12, vocab: 19}",
      fmt::format("data={{sequence: {}, batch: {}}}", kLength, kBatch),
      "optim={lr: 1e-2, weight_decay: 0.1, clip: 0.5}"};
  overrides.insert(overrides.end(), more.begin(), more.end());
  JobConfig job = load_job("", overrides);
  job.parallel.data = data;
  job.parallel.tensor = tensor;
  return job;
}

// A rank's sequences of a step: each target follows from the token before it.
inline HostBatch tiny_batch(std::int64_t step, const Range& share) {
  std::vector<std::int32_t> ids, targets;
  const RandomStream stream(9, site_id("batch"), static_cast<std::uint64_t>(step));
  for (std::int64_t s = share.first; s < share.first + share.count; ++s) {
    for (std::int64_t t = 0; t < kLength; ++t) {
      const auto word = stream.word(static_cast<std::uint64_t>(s), static_cast<std::uint64_t>(t));
      ids.push_back(static_cast<std::int32_t>(word % kVocab));
      targets.push_back((ids.back() * 5 + 1) % static_cast<std::int32_t>(kVocab));
    }
  }
  return token_batch(step * kBatch + share.first, share.count, std::move(ids), std::move(targets));
}

struct TinyRank {
  JobConfig job;
  std::unique_ptr<Backend> backend;
  ty::Layout layout;
  TrainingSetup setup;
  HostBatch batch(std::int64_t step) const {
    return tiny_batch(step, share_of_batch(kBatch, layout.mesh.data()));
  }

  TinyRank(JobConfig of, const Group& world) : TinyRank(of, planned_model(of), world) {}
  // `on`: another backend than the CPU's.
  TinyRank(JobConfig of, const ModelSpec& spec, const Group& world,
           std::unique_ptr<Backend> on = nullptr)
      : job((omp_set_num_threads(1), std::move(of))),
        backend(on ? std::move(on) : make_backend(DeviceChoice::cpu, job.parallel.reduction)),
        layout(make_layout(job, world, *backend)),
        setup(job, spec, *backend, layout) {
    set_initial_weights(job, setup.model);
  }
  StepReport take_step(std::int64_t step) { return setup.step.run(batch(step), step); }

  // The numbers of all weights and moments that this rank has.
  std::vector<double> numbers() const {
    const FlatParameters& parameters = *setup.model.parameters;
    std::vector<double> all = doubles(parameters.weights());
    const auto add = [&](const Tensor& more) {
      for (const double number : doubles(more)) all.push_back(number);
    };
    add(parameters.model());
    for (const Optimizer::State& state : setup.optimizer->states()) add(state.flat);
    return all;
  }
};

}  // namespace ty::test
