// What each block of a model takes: every block is a chunk of a pipeline of one stage.
#include "launch/run/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "core/base/stopwatch.h"
#include "launch/bench/bench.h"
#include "launch/bench/random_batch.h"
#include "launch/process/world.h"
#include "launch/report/text.h"
#include "launch/run/job_check.h"
#include "launch/run/training_setup.h"

namespace ty::bench {

namespace {

constexpr std::int64_t kMicroBatches = 3;
constexpr std::int64_t kSmall = 8, kLarge = std::int64_t{1} << 22;  // bytes of messages
constexpr int kSmallRounds = 200, kLargeRounds = 10;

JobConfig one_block_per_chunk(const JobConfig& given, std::int64_t blocks) {
  JobConfig job = given;
  job.data.batch = kMicroBatches *
                   micro_batch_sequences(given, static_cast<int>(given.parallel.data.value_or(1)));
  job.parallel.data = job.parallel.tensor = job.parallel.pipeline = 1;
  job.parallel.sequence = false;
  job.parallel.schedule = "interleaved";
  job.parallel.chunks = blocks;
  job.parallel.stages.clear();
  job.parallel.microbatches = kMicroBatches;
  job.parallel.recompute = Recompute::stage;
  job.parallel.reduction = Reduction::fast;
  return job;
}

double median(std::vector<double> x) { return x.empty() ? 0.0 : spread_of(std::move(x)).median; }

// Seconds of a message of so many bytes from rank 0 to rank 1: half of there and back.
double message_seconds(const Group& world, std::int64_t bytes, int rounds) {
  std::vector<float> buffer(static_cast<std::size_t>(bytes) / sizeof(float));
  const View view = contiguous_view(buffer.data(), DType::f32, {std::ssize(buffer)});
  std::vector<double> seconds;
  world.barrier();
  for (int i = 0; i < rounds && world.rank() < 2; ++i) {
    const Stopwatch watch;
    if (world.rank() == 0) {
      world.send(view, 1).wait();
      world.receive(view, 1).wait();
    } else {
      world.receive(view, 0).wait();
      world.send(view, 0).wait();
    }
    seconds.push_back(watch.seconds() / 2);
  }
  world.barrier();
  return median(std::move(seconds));
}

Profile measure(const JobConfig& given, const Rounds& rounds, World& world) {
  const ModelSpec spec = planned_model(given);
  const ModelDescription description = describe_model(spec);
  const JobConfig job = one_block_per_chunk(given, std::ssize(description.blocks));
  const auto backend = make_backend(job.run.device);
  const Layout layout = make_layout(job, Group(), *backend);  // every rank by itself, all at once
  TrainingSetup setup(job, spec, *backend, layout);
  set_initial_weights(job, setup.model);
  std::map<std::pair<int, Action::Kind>, std::vector<double>> seconds;
  bool counts = false;
  setup.step.observe([&](const Span& span) {
    if (counts) seconds[{span.action.chunk, span.action.kind}].push_back(span.end - span.begin);
  });
  for (std::int64_t step = 0; step < rounds.warmup + rounds.measured; ++step) {
    counts = step >= rounds.warmup;
    world.group().barrier();
    setup.step.run(random_batch(job, spec.vocab, Group(), step), step);
  }
  Profile profile;
  for (int chunk = 0; chunk < setup.model.model->chunks(); ++chunk) {
    using Kind = Action::Kind;
    profile.blocks.push_back({description.blocks[static_cast<std::size_t>(chunk)].name,
                              {.forward = median(seconds[{chunk, Kind::forward}]),
                               .recompute = median(seconds[{chunk, Kind::recompute}]),
                               .backward = median(seconds[{chunk, Kind::backward}])}});
  }
  profile.tokens = static_cast<double>(job.data.batch / kMicroBatches * job.data.sequence);
  if (world.size() > 1) {
    profile.link_seconds = message_seconds(world.group(), kSmall, kSmallRounds);
    profile.link_bytes_per_second =
        static_cast<double>(kLarge) / message_seconds(world.group(), kLarge, kLargeRounds);
  }
  return profile;
}

}  // namespace

ExitCode profile(const Arguments& arguments, RankStatus& status) {
  World world(status);
  const auto job = load_job_with_origins(arguments.word(0, "the job file"), arguments.overrides);
  const Profile profile = config::with_places(
      job.origins, [&] { return measure(job.value, rounds_of(arguments, 1), world); });
  if (!world.is_root()) return ExitCode::ok;
  if (arguments.flag("--json")) {
    fmt::print("{}\n", to_json(profile).dump());
    return ExitCode::ok;
  }
  Table table({"block", "forward", "recompute", "backward"});
  const auto milliseconds = [](double s) { return fmt::format("{:.3g} ms", 1e3 * s); };
  for (const Profile::Block& block : profile.blocks) {
    table.add({block.name, milliseconds(block.seconds.forward),
               milliseconds(block.seconds.recompute), milliseconds(block.seconds.backward)});
  }
  fmt::print("{}  of {:.0f} tokens\n", table.str(), profile.tokens);
  if (profile.link_bytes_per_second > 0) {
    fmt::print("link  {:.1f} us, {}/s\n", 1e6 * profile.link_seconds,
               human_bytes(profile.link_bytes_per_second));
  }
  return ExitCode::ok;
}

}  // namespace ty::bench
