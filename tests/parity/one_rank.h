// Training steps of a small model in some layout, which must be those of one rank.
#pragma once

#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "launch/run/training_setup.h"
#include "parallel/comm/threads/threads.h"
#include "tests/support/parts.h"
#include "tests/support/tensors.h"

namespace ty::test {

inline constexpr std::int64_t kLength = 12, kBatch = 8, kVocab = 19, kSteps = 10;

struct Case {
  std::string name;
  int data = 1, tensor = 1, pipeline = 1;
  config::Overrides overrides;

  friend std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }
};

inline JobConfig job_of(const Case& c) {
  config::Overrides overrides = {
      "model={layers: 2, width: 24, heads: 12, inner: 48, context: 12, vocab: 19}",
      fmt::format("data={{sequence: {}, batch: {}}}", kLength, kBatch),
      "optim={lr: 1e-2, weight_decay: 0.1, clip: 0.5}"};
  overrides.insert(overrides.end(), c.overrides.begin(), c.overrides.end());
  JobConfig job = load_job("", overrides);
  job.parallel.data = c.data;
  job.parallel.tensor = c.tensor;
  job.parallel.pipeline = c.pipeline;
  return job;
}

// Some targets are missing, unevenly over the sequences.
inline HostBatch batch_of(std::int64_t step, const Range& share) {
  std::vector<std::int32_t> ids, targets;
  const RandomStream stream(9, site_id("batch"), static_cast<std::uint64_t>(step));
  for (std::int64_t s = share.first; s < share.first + share.count; ++s) {
    for (std::int64_t t = 0; t < kLength; ++t) {
      const auto word = stream.word(static_cast<std::uint64_t>(s), static_cast<std::uint64_t>(t));
      const auto id = static_cast<std::int32_t>(word % kVocab);
      ids.push_back(id);
      targets.push_back(t < s % 3 ? -100 : (id * 5 + 1) % static_cast<std::int32_t>(kVocab));
    }
  }
  return token_batch(step * kBatch + share.first, share.count, std::move(ids), std::move(targets));
}

struct Run {
  std::vector<double> losses, norms;
  std::map<std::string, std::vector<double>> weights;  // of a whole model
};

using AtEnd = std::function<void(const TrainingSetup&, const Run&)>;

inline Run train(const JobConfig& job, const Group& world, const AtEnd& at_end = {}) {
  omp_set_num_threads(1);
  const auto backend = make_backend(DeviceChoice::cpu, job.parallel.reduction);
  const Layout layout = make_layout(job, world, *backend);
  TrainingSetup setup(job, planned_model(job), *backend, layout);
  set_initial_weights(job, setup.model);
  Run run;
  const Range share = share_of_batch(kBatch, layout.mesh.data());
  for (std::int64_t step = 0; step < kSteps; ++step) {
    const StepReport report = setup.step.run(batch_of(step, share), step);
    run.losses.push_back(report.loss);
    run.norms.push_back(report.gradient_norm);
  }
  setup.reducer.gather_weights();
  const auto& all = setup.model.parameters->store().all();
  for (std::size_t i = 0; i < all.size() && world.size() == 1; ++i) {
    run.weights[all[i].name] = doubles(setup.model.parameters->weight_of(i));
  }
  if (at_end) at_end(setup, run);
  return run;
}

// The run of one rank of the same job.
inline const Run& alone(const Case& c) {
  static std::map<std::string, Run> runs;
  Case one = c;
  one.data = one.tensor = one.pipeline = 1;
  std::erase_if(one.overrides, [](const std::string& o) {
    return o.starts_with("parallel.") && !o.starts_with("parallel.reduction");
  });
  const std::string key = fmt::format("{}", fmt::join(one.overrides, " "));
  const auto found = runs.find(key);
  if (found != runs.end()) return found->second;
  return runs.emplace(key, train(job_of(one), Group())).first->second;
}

inline void expect_near(double got, double wanted, double tolerance, const std::string& what) {
  EXPECT_NEAR(got, wanted, tolerance * std::max(1.0, std::abs(wanted))) << what;
}

// Element by element in fp32 and fp64. In bf16 ranks add up terms that were rounded to 8 bits (2^-8
// = 4e-3), so that where a gradient is next to nothing AdamW may go another way: matrices agree as
// a whole. Biases of keys have no gradient but such rounding.
inline void expect_same_weights(const std::vector<double>& got, const std::vector<double>& wanted,
                                const Parameter& parameter, DType compute, double slack) {
  ASSERT_EQ(got.size(), wanted.size()) << parameter.name;
  double largest = 0, apart = 0, all = 0;
  for (std::size_t k = 0; k < got.size(); ++k) {
    const double difference = std::abs(got[k] - wanted[k]);
    largest = std::max(largest, difference);
    apart += difference * difference;
    all += wanted[k] * wanted[k];
  }
  if (compute != DType::bf16) {
    EXPECT_LE(largest, slack * (compute == DType::f64 ? 1e-11 : 2e-5)) << parameter.name;
  } else if (parameter.shape.rank() > 1) {
    EXPECT_LE(std::sqrt(apart / all), 0.15) << parameter.name;
  }
}

// `slack`: of weights; AdamW amplifies the rounding of small gradients by its learning rate.
inline void expect_same(const Case& c, double slack = 1.0) {
  const Run& wanted = alone(c);
  const JobConfig job = job_of(c);
  const DType compute = job.precision.compute;
  const double loss = compute == DType::f64 ? 1e-11 : compute == DType::bf16 ? 1e-2 : 2e-5;
  run_ranks(c.data * c.tensor * c.pipeline, [&](const Group& world) {
    train(job, world, [&](const TrainingSetup& setup, const Run& run) {
      for (std::size_t s = 0; s < run.losses.size(); ++s) {
        expect_near(run.losses[s], wanted.losses[s], loss, fmt::format("loss {}", s));
        expect_near(run.norms[s], wanted.norms[s], 10 * loss, fmt::format("norm {}", s));
      }
      const auto& all = setup.model.parameters->store().all();
      for (std::size_t i = 0; i < all.size(); ++i) {
        expect_same_weights(doubles(setup.model.parameters->weight_of(i)),
                            part_of(wanted.weights.at(all[i].name), all[i]), all[i], compute,
                            slack);
      }
    });
  });
}

}  // namespace ty::test
