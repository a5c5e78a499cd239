#include "launch/plan.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/backend/dry/dry_backend.h"
#include "launch/text.h"
#include "launch/training_setup.h"
#include "parallel/comm/phantom/phantom.h"

namespace ty {

Plan make_plan(const JobConfig& job, const Gpt2Config& config, int ranks) {
  DryBackend backend;
  const Group data(std::make_shared<PhantomCommunicator>(0, ranks));
  TrainingSetup setup(job, config, backend, data);
  const Range share = share_of_batch(job.data.batch, data);
  HostBatch batch{.first_sample = 0,
                  .sequences = share.count,
                  .length = job.data.sequence,
                  .inputs = {},
                  .targets = {}};
  batch.inputs.resize(static_cast<std::size_t>(share.count * job.data.sequence));
  batch.targets = batch.inputs;
  backend.reset_counts();
  setup.step.run(batch, 0);
  return {.ranks = ranks,
          .parameters = setup.model.model->parameters().count(),
          .memory = backend.memory().stats(),
          .matrix_flops = backend.counts().matrix_flops,
          .bytes_moved = backend.counts().bytes,
          .reduced_bytes =
              ranks == 1 ? 0.0
                         : static_cast<double>(setup.model.parameters->gradients().view().bytes()),
          .tokens = static_cast<double>(job.data.batch * job.data.sequence),
          .linear = setup.model.model->linear_sites(),
          .tokens_per_pass = share.count * job.data.sequence / job.parallel.microbatches,
          .shares_maps = job.parallel.reuse == WeightReuse::step && job.parallel.microbatches > 1};
}

double estimate_step_seconds(const Plan& plan, double gemm_rate, double bandwidth) {
  return plan.matrix_flops / gemm_rate + plan.bytes_moved / bandwidth;
}

std::string format_memory(const MemoryStats& predicted, const MemoryStats* measured) {
  Table table(measured == nullptr ? std::vector<std::string>{"memory", "predicted"}
                                  : std::vector<std::string>{"memory", "predicted", "measured"});
  const auto row = [&](std::string_view name, std::int64_t p, std::int64_t m) {
    std::vector<std::string> cells = {std::string(name), human_bytes(static_cast<double>(p))};
    if (measured != nullptr) cells.push_back(human_bytes(static_cast<double>(m)));
    table.add(std::move(cells));
  };
  for (std::size_t i = 0; i < kMemoryClasses; ++i) {
    row(name_of(static_cast<MemoryClass>(i)), predicted.at_peak[i],
        measured == nullptr ? 0 : measured->at_peak[i]);
  }
  row("peak", predicted.total_peak, measured == nullptr ? 0 : measured->total_peak);
  return table.str();
}

nlohmann::json memory_json(const MemoryStats& memory) {
  nlohmann::json json;
  for (std::size_t i = 0; i < kMemoryClasses; ++i) {
    json[fmt::format("{}_bytes", name_of(static_cast<MemoryClass>(i)))] = memory.at_peak[i];
  }
  json["peak_bytes"] = memory.total_peak;
  return json;
}

}  // namespace ty
