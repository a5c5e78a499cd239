// layouts_test [FIRST [COUNT]]: random jobs on random layouts, from a seed. Each is refused before
// any rank speaks, with a line that names a key, or trains: a step with finite numbers, the same
// on all ranks, and the loss of one rank.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <omp.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <set>

#include "core/base/error.h"
#include "launch/run/job_check.h"
#include "launch/run/training_setup.h"
#include "parallel/comm/threads/threads.h"
#include "tests/fuzz/random.h"

namespace ty::test {
namespace {

constexpr double kPatience = 60;

struct Trial {
  config::Overrides overrides;
  int ranks = 1;
};

std::string random_rule(Choices& choices, const char* match) {
  const std::string layout =
      choices.one_in(3) ? fmt::format(", layout: {}", choices.one_in(2) ? "split" : "whole") : "";
  switch (choices.below(4)) {
    case 0:
      return fmt::format("{{match: \"{}\", kind: dense{}}}", match, layout);
    case 1:
      return fmt::format("{{match: \"{}\", kind: svd, rank: {}{}}}", match, 1 + choices.below(9),
                         choices.one_in(4) ? ", layout: hidden" : layout);
    case 2:
      return fmt::format("{{match: \"{}\", kind: ttm, rank: {}, cores: {}{}}}", match,
                         1 + choices.below(6), 1 + choices.below(4), layout);
    default:
      return fmt::format("{{match: \"{}\", kind: ttm, keep: 0.5{}}}", match, layout);
  }
}

void add_pipeline(Choices& choices, int stages, config::Overrides& o) {
  const std::string schedule =
      choices.of<std::string>({"gpipe", "1f1b", "interleaved", "interleaved", "varuna"});
  o.push_back(fmt::format("parallel.pipeline={}", stages));
  o.push_back(fmt::format("parallel.schedule={}", schedule));
  o.push_back(fmt::format("parallel.work_conserving={}", choices.one_in(3)));
  if (schedule == "interleaved" || choices.one_in(9)) {
    o.push_back(fmt::format("parallel.chunks={}", 1 + choices.below(3)));
  }
  if (choices.one_in(5)) {
    std::vector<std::size_t> layers;
    for (int i = 0; i < stages; ++i) layers.push_back(choices.below(3));
    o.push_back(fmt::format("parallel.stages=[{}]", fmt::join(layers, ", ")));
  }
}

Trial make_trial(std::uint64_t index) {
  Choices choices("layouts", index);
  const std::vector<std::int64_t> kHeads = {12, 12, 4, 6, 8, 2, 3, 1}, kWidths = {4, 6, 8, 5},
                                  kLengths = {12, 12, 8, 6, 1, 7}, kVocabs = {2, 19, 50, 97};
  const std::vector<int> kDegrees = {1, 1, 2, 2, 3, 4};
  const std::int64_t heads = choices.of(kHeads), width = heads * choices.of(kWidths);
  const std::int64_t length = choices.of(kLengths);
  const int data = choices.of(kDegrees), tensor = choices.of(kDegrees);
  const std::vector<int> kStages = {1, 1, 2, 3, 4};
  const int stages = choices.of(kStages);
  Trial trial;
  trial.ranks = data * tensor * stages;
  auto& o = trial.overrides;
  o.push_back(fmt::format(
      "model={{layers: {}, width: {}, heads: {}, inner: {}, context: {}, vocab: {}, tied: {}}}",
      1 + choices.below(stages > 1 ? 7 : 2), width, heads,
      choices.one_in(4) ? 1 + choices.below(40) : 0, length, choices.of(kVocabs),
      choices.one_in(2)));
  const std::size_t parts = 1 + choices.below(stages > 1 ? 6 : 2);
  o.push_back(fmt::format(
      "data={{sequence: {}, batch: {}}}", length,
      choices.one_in(6) ? 1 + choices.below(8) : static_cast<std::size_t>(data) * parts * 2));
  o.push_back(fmt::format("parallel.tensor={}", tensor));
  o.push_back(fmt::format("parallel.sequence={}", choices.one_in(2)));
  o.push_back(fmt::format("parallel.microbatches={}", parts));
  o.push_back(fmt::format("parallel.zero={}", choices.below(2)));
  o.push_back(fmt::format("parallel.recompute={}",
                          choices.of<std::string>({"none", "selective", "block", "stage"})));
  if (stages > 1) add_pipeline(choices, stages, o);
  if (choices.one_in(4)) o.push_back("model.dropout=0.2");
  if (choices.one_in(8)) o.push_back("parallel.reduction=canonical");
  std::vector<std::string> rules;
  for (const char* match :
       {"blocks.*", "*.mlp.*", "*.attn.qkv", "head.linear", "embeddings.token"}) {
    if (choices.one_in(3)) rules.push_back(random_rule(choices, match));
  }
  if (!rules.empty()) o.push_back(fmt::format("linear=[{}]", fmt::join(rules, ", ")));
  return trial;
}

HostBatch batch_of(const JobConfig& job, const Range& share, std::int64_t vocab) {
  std::vector<std::int32_t> ids, targets;
  for (std::int64_t i = share.first * job.data.sequence;
       i < (share.first + share.count) * job.data.sequence; ++i) {
    ids.push_back(static_cast<std::int32_t>(i * 7 % vocab));
    targets.push_back(i % 5 == 4 ? -100 : static_cast<std::int32_t>(i * 3 % vocab));
  }
  return token_batch(share.first, share.count, ids, targets);
}

// Two steps; the second loss is of weights that all ranks have updated.
std::vector<double> losses_of(const JobConfig& job, const Group& world) {
  omp_set_num_threads(1);
  const auto backend = make_backend(DeviceChoice::cpu, job.parallel.reduction);
  const Layout layout = make_layout(job, world, *backend);
  const ModelSpec spec = planned_model(job);
  TrainingSetup setup(job, spec, *backend, layout);
  set_initial_weights(job, setup.model);
  const Range share = share_of_batch(job.data.batch, layout.mesh.data());
  const HostBatch batch = batch_of(job, share, spec.vocab);
  return {setup.step.run(batch, 0).loss, setup.step.run(batch, 1).loss};
}

// "" if the trial ended as it should; `trained`: whether it was not refused.
std::string verdict(const Trial& trial, bool& trained) {
  JobConfig job;
  try {
    job = load_checked_job("", trial.overrides, trial.ranks).value;
  } catch (const Error& e) {
    if (e.code() != ExitCode::config) throw;
    const std::string message = e.what();
    if (message.find(": ") == std::string::npos) return "refused without a key: " + message;
    return "";
  }
  trained = true;
  JobConfig one = job;
  one.parallel.data = one.parallel.tensor = one.parallel.pipeline = 1;
  one.parallel.schedule = "1f1b";
  one.parallel.chunks = 1;
  one.parallel.stages.clear();
  const std::vector<double> wanted = losses_of(one, Group());
  std::vector<std::vector<double>> got(static_cast<std::size_t>(trial.ranks));
  run_ranks(
      trial.ranks,
      [&](const Group& world) {
        got[static_cast<std::size_t>(world.rank())] = losses_of(job, world);
      },
      kPatience);
  for (const auto& losses : got) {
    for (std::size_t i = 0; i < losses.size(); ++i) {
      if (!(std::abs(losses[i] - wanted[i]) <= 1e-4 * std::max(1.0, std::abs(wanted[i])))) {
        return fmt::format("loss {} instead of {}", losses[i], wanted[i]);
      }
    }
  }
  return "";
}

int run(std::uint64_t first, std::uint64_t count) {
  int wrong = 0, trained = 0;
  for (std::uint64_t i = first; i < first + count; ++i) {
    const Trial trial = make_trial(i);
    std::string fault;
    bool was_trained = false;
    try {
      fault = verdict(trial, was_trained);
    } catch (const std::exception& e) {
      fault = fmt::format("failed: {}", e.what());
    }
    trained += was_trained ? 1 : 0;
    if (fault.empty()) continue;
    ++wrong;
    fmt::print("layouts {}: {}\n    {} ranks, {}\n", i, fault, trial.ranks,
               fmt::join(trial.overrides, " "));
  }
  fmt::print("{} layouts: {} trained, {} refused, {} wrong\n", count, trained,
             count - static_cast<std::uint64_t>(trained), wrong);
  return wrong == 0 && trained > static_cast<int>(count / 5) ? 0 : 1;
}

}  // namespace
}  // namespace ty::test

int main(int argc, char** argv) {
  const std::uint64_t first = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 0;
  const std::uint64_t count = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 300;
  return ty::test::run(first, count);
}
