// What each block of a model takes: every block is a chunk of a pipeline of one stage.
#include "launch/run/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
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

// Micro-batches have the size that they have in the job.
JobConfig one_block_per_chunk(const JobConfig& given, std::int64_t blocks, int data_ranks) {
  JobConfig job = given;
  job.data.batch = kMicroBatches * micro_batch_sequences(given, data_ranks);
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

// Seconds of `call` on a buffer of so many bytes.
double seconds_of_call(const Group& group, std::int64_t bytes, int rounds,
                       const std::function<void(const View&)>& call) {
  std::vector<float> buffer(static_cast<std::size_t>(bytes) / sizeof(float));
  const View view = contiguous_view(buffer.data(), DType::f32, {std::ssize(buffer)});
  std::vector<double> seconds;
  group.barrier();
  for (int i = 0; i < rounds; ++i) {
    const Stopwatch watch;
    call(view);
    seconds.push_back(watch.seconds());
  }
  group.barrier();
  return median(std::move(seconds));
}

// From the first rank to the second one and back.
void there_and_back(const Group& group, const View& view) {
  if (group.rank() > 1) return;
  const int other = 1 - group.rank();
  if (group.rank() == 0) {
    group.send(view, other).wait();
    group.receive(view, other).wait();
  } else {
    group.receive(view, other).wait();
    group.send(view, other).wait();
  }
}

Profile::Link measure_link(const std::string& axis, const Group& group) {
  const bool messages = axis == "pipeline";
  const auto call = [&](const View& view) {
    messages ? there_and_back(group, view) : group.all_reduce(view, ReduceOp::sum).wait();
  };
  const double parts = messages ? 2.0 : 1.0;
  const double small = seconds_of_call(group, kSmall, kSmallRounds, call) / parts;
  const std::int64_t before = group.sent_bytes();
  const double large = seconds_of_call(group, kLarge, kLargeRounds, call) / parts;
  const auto sent = static_cast<double>(group.sent_bytes() - before) / kLargeRounds;
  return {axis, small, sent / std::max(large - small, 1e-9)};
}

// Along the axes of the job's mesh that have several ranks; all of them along each at once.
std::vector<Profile::Link> measure_links(const MeshShape& shape, const Group& world) {
  const Mesh mesh(world, shape);
  std::vector<Profile::Link> links;
  for (const auto& [axis, group] :
       {std::pair("data", &mesh.data()), std::pair("tensor", &mesh.tensor()),
        std::pair("pipeline", &mesh.pipeline())}) {
    if (group->size() > 1) links.push_back(measure_link(axis, *group));
  }
  return links;
}

Profile measure(const JobConfig& given, const Rounds& rounds, World& world) {
  const ModelSpec spec = planned_model(given);
  const ModelDescription description = describe_model(spec);
  const MeshShape mesh = world.size() > 1 ? mesh_shape(given, world.size()) : stated_mesh(given);
  const JobConfig job = one_block_per_chunk(given, std::ssize(description.blocks), mesh.data);
  const auto backend = make_backend(job, world.place());
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
    setup.step.run(random_batch(job, spec, Group(), step), step);
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
  if (world.size() > 1) profile.links = measure_links(mesh, world.group());
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
  for (const Profile::Block& block : profile.blocks) {
    table.add({block.name, human_milliseconds(block.seconds.forward),
               human_milliseconds(block.seconds.recompute),
               human_milliseconds(block.seconds.backward)});
  }
  fmt::print("{}  of {:.0f} tokens\n", table.str(), profile.tokens);
  for (const Profile::Link& link : profile.links) {
    fmt::print("{}  {:.1f} us, {}/s\n", link.axis, 1e6 * link.seconds,
               human_bytes(link.bytes_per_second));
  }
  return ExitCode::ok;
}

}  // namespace ty::bench
