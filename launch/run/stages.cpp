#include "launch/run/stages.h"

#include <algorithm>
#include <numeric>

#include "core/autograd/graph.h"
#include "core/backend/dry/dry_backend.h"
#include "core/base/error.h"
#include "core/base/even_parts.h"
#include "core/io/file.h"
#include "launch/process/failure.h"
#include "launch/run/profile.h"
#include "launch/run/training_setup.h"
#include "models/objective/chunked_loss.h"
#include "models/transformer/model_batch.h"
#include "parallel/pipeline/program_text.h"

namespace ty {

namespace {

constexpr double kFlopsPerByte = 8.0;  // of a machine in balance
constexpr std::int64_t kMostCostedLength = 1024;
constexpr std::size_t kMaxProgramBytes = std::size_t{16} << 20;

// Explicit numbers of layers: the embeddings go with the first, the head with the last.
Partition stated_partition(const JobConfig& job, const ModelSpec& spec, int stages) {
  const std::vector<std::int64_t>& layers = job.parallel.stages;
  const std::int64_t wanted = stages * job.parallel.chunks;
  const std::int64_t sum = std::accumulate(layers.begin(), layers.end(), std::int64_t{0});
  if (std::ssize(layers) != wanted || sum != spec.layers) {
    throw ConfigError(Key{"parallel.stages"},
                      "{} numbers that add up to {}; want {} (parallel.pipeline = {} x "
                      "parallel.chunks = {}) that add up to model.layers = {}",
                      layers.size(), sum, wanted, stages, job.parallel.chunks, spec.layers);
  }
  Partition partition = {stages, {}};
  std::size_t first = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    std::size_t last = first + static_cast<std::size_t>(layers[i]);
    if (i == 0) ++last;
    if (i + 1 == layers.size()) ++last;
    partition.ranges.push_back({first, last});
    if (first == last) {
      throw ConfigError(Key{"parallel.stages"},
                        "number {} of {} is 0, which leaves a stage without a block; the first and "
                        "the last one may be 0",
                        i + 1, layers.size());
    }
    first = last;
  }
  return partition;
}

}  // namespace

std::vector<double> block_costs(const ModelSpec& spec, std::int64_t sequences,
                                std::int64_t length) {
  const NoGrad no_grad;
  DryBackend backend;
  const ModelDescription description = describe_model(spec);
  Partition one_by_one;
  for (std::size_t i = 0; i < description.size(); ++i) one_by_one.ranges.push_back({i, i + 1});
  Model model(description, LinearRules(spec.linear), {}, one_by_one, 0);
  const FlatParameters parameters(model.parameters(), plan_flat_layout(model.parameters(), 1, 1),
                                  backend, only_run());
  const Batch batch = upload(backend, model_batch(spec, sequences, length), 0, sequences);
  const auto objective = objective_of(spec.head);
  std::vector<double> costs;
  Flow flow;
  for (int chunk = 0; chunk < model.chunks(); ++chunk) {
    backend.reset_counts();
    flow = model.forward({.batch = batch}, Recompute::none, flow, chunk);
    if (chunk + 1 == model.chunks()) total_loss(model, *objective, flow, batch);
    costs.push_back(backend.counts().matrix_flops + backend.counts().bytes * kFlopsPerByte);
  }
  return costs;
}

namespace {

// What each block took, forward and backward.
std::vector<double> measured_costs(const Path& file, const ModelSpec& spec) {
  const Profile profile = read_profile(file);
  const ModelDescription description = describe_model(spec);
  std::vector<double> costs;
  for (std::size_t i = 0; i < std::max(description.size(), profile.blocks.size()); ++i) {
    const std::string wanted = i < description.size() ? description.blocks[i].name : "none";
    const std::string there = i < profile.blocks.size() ? profile.blocks[i].name : "none";
    if (wanted != there) {
      throw DataError("{}: block {} is {}, but the model's is {}; profile this model",
                      file.string(), i, there, wanted);
    }
    costs.push_back(profile.blocks[i].seconds.forward + profile.blocks[i].seconds.backward);
  }
  return costs;
}

void check_stage_count(const ModelSpec& spec, const PipeShape& shape) {
  const std::int64_t blocks = spec.blocks();
  if (shape.virtual_stages() > blocks) {
    throw ConfigError(Key{"parallel.pipeline"},
                      "{} stages x {} chunks are more than the {} blocks (embeddings, "
                      "model.layers = {}, head) of the model",
                      shape.stages, shape.chunks, blocks, spec.layers);
  }
}

}  // namespace

Partition even_partition(const ModelSpec& spec, const PipeShape& shape, std::int64_t length) {
  if (shape.virtual_stages() == 1) return one_stage(static_cast<std::size_t>(spec.blocks()));
  check_stage_count(spec, shape);
  return balanced_partition(block_costs(spec, 1, std::min(length, kMostCostedLength)), shape.stages,
                            shape.chunks);
}

Partition partition_of(const JobConfig& job, const ModelSpec& spec, int stages) {
  if (!job.parallel.stages.empty()) return stated_partition(job, spec, stages);
  const PipeShape shape = {.stages = stages, .chunks = static_cast<int>(job.parallel.chunks)};
  if (job.parallel.profile.empty() || shape.virtual_stages() == 1) {
    return even_partition(spec, shape, job.data.sequence);
  }
  check_stage_count(spec, shape);
  const std::vector<double> costs =
      at_key("parallel.profile", [&] { return measured_costs(job.parallel.profile, spec); });
  return balanced_partition(costs, shape.stages, shape.chunks);
}

MakeProgram program_maker(const JobConfig& job) {
  const std::string name = job.parallel.schedule.string();
  if (const auto schedule = schedule_named(name)) {
    return [schedule](const PipeShape& shape) { return make_program(*schedule, shape); };
  }
  const Program program = at_key("parallel.schedule", [&] {
    return parse_program(read_text_file(name, kMaxProgramBytes), name);
  });
  return [program, name](const PipeShape& shape) {
    const PipeShape& its = program.shape;
    if (shape.stages == 1) return one_f_one_b(shape);  // one process has nobody to wait for
    if (its.stages == shape.stages && its.micro_batches == shape.micro_batches &&
        its.chunks == shape.chunks) {
      return program;
    }
    throw ConfigError(Key{"parallel.schedule"},
                      "{} is for {} stages, {} micro-batches and {} chunks; the job has {}, {} "
                      "and {}",
                      name, its.stages, its.micro_batches, its.chunks, shape.stages,
                      shape.micro_batches, shape.chunks);
  };
}

ExecutionOrder execution_order(const JobConfig& job) {
  return job.parallel.work_conserving ? ExecutionOrder::work_conserving : ExecutionOrder::listed;
}

PipeShape pipe_shape(const JobConfig& job, const MeshShape& mesh, int data_rank) {
  const std::int64_t sequences = even_part(job.data.batch, data_rank, mesh.data).count;
  return {.stages = mesh.pipeline,
          .micro_batches = static_cast<int>(micro_batches(job, sequences)),
          .chunks = static_cast<int>(job.parallel.chunks),
          .recompute = job.parallel.recompute == Recompute::stage};
}

void check_stages(const JobConfig& job, const ModelSpec& spec, const MeshShape& mesh) {
  partition_of(job, spec, mesh.pipeline);
  const MakeProgram make_program = program_maker(job);
  for (const int data : {0, mesh.data - 1}) make_program(pipe_shape(job, mesh, data));
}

}  // namespace ty
