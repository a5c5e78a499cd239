// Training steps of a small model in some layout, which must be those of one rank.
#pragma once

#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "parallel/comm/threads/threads.h"
#include "tests/parity/tiny_training.h"
#include "tests/support/parts.h"

namespace ty::test {

inline constexpr std::int64_t kSteps = 10;

struct Case {
  std::string name;
  int data = 1, tensor = 1, pipeline = 1;
  config::Overrides overrides;
  // Of a model that is not the job's: makes it from that, and gives a rank's part of a batch.
  std::function<void(ModelSpec&)> change = {};
  std::function<HostBatch(const ModelSpec&, std::int64_t step, const Range&)> batch = {};

  // Adds to name and overrides.
  void add(const char* words, const char* override) {
    name += words;
    overrides.emplace_back(override);
  }
  friend std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }
};

// Draws which options a case has: a function of a seed and the case's number.
class OptionDraws {
 public:
  OptionDraws(std::uint64_t seed, std::uint64_t number)
      : stream_(seed, site_id("options")), number_(number) {}
  std::uint64_t below(std::uint64_t count) { return stream_.word(number_, option_++) % count; }
  bool one_in(std::uint64_t count) { return below(count) == 0; }

 private:
  RandomStream stream_;
  std::uint64_t number_, option_ = 0;
};

inline JobConfig job_of(const Case& c) {
  config::Overrides overrides = {"model.heads=12"};
  overrides.insert(overrides.end(), c.overrides.begin(), c.overrides.end());
  JobConfig job = tiny_job(c.data, c.tensor, overrides);
  job.parallel.pipeline = c.pipeline;
  return job;
}

// Some targets are missing, unevenly over the sequences.
inline HostBatch batch_of(std::int64_t step, const Range& share) {
  HostBatch batch = tiny_batch(step, share);
  std::vector<std::int32_t>& targets = batch.columns.at(Column::targets).ids;
  for (std::int64_t s = 0; s < share.count; ++s) {
    const auto first = targets.begin() + s * kLength;
    std::fill(first, first + (share.first + s) % 3, -100);
  }
  return batch;
}

struct Run {
  std::vector<double> losses, norms;
  std::map<std::string, std::vector<double>> weights;  // of a whole model
};

using AtEnd = std::function<void(const TrainingSetup&, const Run&)>;

inline Run train(const Case& c, const JobConfig& job, const Group& world,
                 const AtEnd& at_end = {}) {
  ModelSpec spec = planned_model(job);
  if (c.change) c.change(spec);
  TinyRank rank(job, spec, world);
  TrainingSetup& setup = rank.setup;
  Run run;
  const Range share = share_of_batch(kBatch, rank.layout.mesh.data());
  for (std::int64_t step = 0; step < kSteps; ++step) {
    const HostBatch batch = c.batch ? c.batch(spec, step, share) : batch_of(step, share);
    const StepReport report = setup.step.run(batch, step);
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

inline Run train(const JobConfig& job, const Group& world, const AtEnd& at_end = {}) {
  return train(Case(), job, world, at_end);
}

// The run of one rank of the same job.
inline const Run& alone(const Case& c) {
  static std::map<std::string, Run> runs;
  Case one = c;
  one.data = one.tensor = one.pipeline = 1;
  std::erase_if(one.overrides, [](const std::string& o) {
    return o.starts_with("parallel.") && !o.starts_with("parallel.reduction");
  });
  const std::string model = c.change ? c.name.substr(0, c.name.find('_')) : "";
  const std::string key = fmt::format("{} {}", model, fmt::join(one.overrides, " "));
  const auto found = runs.find(key);
  if (found != runs.end()) return found->second;
  return runs.emplace(key, train(one, job_of(one), Group())).first->second;
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
    train(c, job, world, [&](const TrainingSetup& setup, const Run& run) {
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
