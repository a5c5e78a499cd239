#include "launch/run/checkpointing.h"

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/glob.h"
#include "core/io/json.h"
#include "launch/process/failure.h"
#include "launch/run/checkpoint_weights.h"
#include "launch/run/optimizer_state.h"
#include "models/huggingface/model_directory.h"
#include "models/huggingface/model_tensors.h"
#include "models/linear/guides.h"
#include "models/linear/pruning.h"

namespace ty {

namespace {

std::string shard_name(int rank) { return fmt::format("optimizer-{}.safetensors", rank); }

// Runs `work` on every rank and tells all of them the first error text, "" if there is none.
template <typename Work>
std::string together(const Group& world, Work work) {
  std::string error;
  try {
    work();
  } catch (...) {
    error = fmt::format("rank {}: {}", world.rank(), current_failure().reason);
  }
  for (const std::string& text : world.all_gather_text(error)) {
    if (!text.empty()) return text;
  }
  return "";
}

void check_finite(const Group& world, const TrainingState& state, std::int64_t step) {
  std::string fault = state.parameters.first_non_finite_weight();
  if (!fault.empty()) {
    fault = "weight " + fault;
  } else {
    fault = state.optimizer.first_non_finite_state();
  }
  for (const std::string& text : world.all_gather_text(fault)) {
    if (text.empty()) continue;
    throw NonFiniteError("{} is not finite after step {}, which was not saved; lower optim.lr",
                         text, step);
  }
}

void add_tokenizer(CheckpointWriter& writer, const Path& directory) {
  if (directory.empty()) return;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const MappedFile file(entry.path());
    writer.add(entry.path().filename().string(), [&](FileWriter& out) { out.write(file.bytes()); });
  }
}

// All data ranks hold the same weights, so the first ones write them.
bool is_first_data_rank(const CheckpointContext& context) { return context.mesh.at().data == 0; }

// Optimizer state of every rank that holds some which no other writes.
void write_state(CheckpointWriter& writer, const CheckpointContext& context,
                 const TrainingState& state) {
  if (!context.sharded && !is_first_data_rank(context)) return;
  writer.add(shard_name(context.mesh.world().rank()),
             [&](FileWriter& out) { write_optimizer(out, state.parameters, state.optimizer); });
}

// The rest of the model directory, by the world's rank 0.
void write_description(CheckpointWriter& writer, const CheckpointContext& context,
                       const TrainingState& state, std::int64_t step,
                       const std::vector<std::string>& entries) {
  if (context.mesh.world().rank() != 0) return;
  write_index(writer, context, entries);
  ModelSpec spec = state.spec;
  spec.linear = with_ended_pruning(spec.linear, step);
  writer.add("config.json", [&](FileWriter& out) { write_model_config(out, spec); });
  add_tokenizer(writer, context.tokenizer_directory);
}

nlohmann::json to_json(const LossScale::State& state) {
  return {{"scale", state.scale},
          {"good_steps", state.good_steps},
          {"skipped_steps", state.skipped_steps}};
}

// Checkpoints of runs that never scaled their loss do not have it.
LossScale::State stored_loss_scale(const nlohmann::json& fields) {
  const nlohmann::json stored = fields.value("loss_scale", nlohmann::json::object());
  return {.scale = stored.value("scale", 0.0),
          .good_steps = stored.value("good_steps", std::int64_t{0}),
          .skipped_steps = stored.value("skipped_steps", std::int64_t{0})};
}

nlohmann::json manifest_fields(const CheckpointContext& context, const TrainingState& state,
                               const Position& position) {
  const MeshShape& layout = context.mesh.shape();
  nlohmann::json fields = {
      {"ranks", layout.size()},
      {"layout", {{"data", layout.data}, {"tensor", layout.tensor}, {"pipeline", layout.pipeline}}},
      {"samples", position.samples},
      {"tokens", position.tokens},
      {"tokenizer_fingerprint", context.tokenizer_fingerprint}};
  const LossScale::State& scale = state.loss_scale.state();
  if (position.best.step >= 0) fields["best"] = to_json(position.best);
  if (!context.frozen.empty()) fields["frozen"] = context.frozen;
  if (scale != LossScale::State()) fields["loss_scale"] = to_json(scale);
  return fields;
}

// What is written as guides end has them still, and the model that goes on from it has not.
void load_stored_weights(const Checkpoint& checkpoint, const TrainingState& state) {
  ModelSpec stored = parse_model_config(checkpoint.path);
  const bool has_ended = without_guides(stored.linear, checkpoint.step) != stored.linear;
  const auto missing =
      load_common_weights(checkpoint.path, state.parameters, has_ended ? stored : state.spec);
  TY_CHECK(missing.empty(), "{} has no {}", checkpoint.path.string(), missing.front());
}

}  // namespace

TrainingState state_of(TrainingSetup& setup) {
  return {setup.model.spec, *setup.model.parameters, setup.reducer, *setup.optimizer,
          setup.step.loss_scale()};
}

SaveOutcome save_checkpoint(const CheckpointContext& context, const TrainingState& state,
                            const Position& position) {
  const Group& world = context.mesh.world();
  const bool root = world.rank() == 0;
  const std::int64_t step = position.step;
  state.reducer.gather_weights();
  check_finite(world, state, step);
  std::optional<CheckpointWriter> writer;
  std::string error = together(world, [&] {
    if (root) writer = CheckpointWriter::begin(context.directory, step);
  });
  if (error.empty()) {
    error = together(world, [&] {
      if (!root) writer = CheckpointWriter::join(context.directory, step);
      write_state(*writer, context, state);
    });
  }
  // Apart from the rest: nobody waits for a rank that has failed before.
  std::string entry;
  if (error.empty()) {
    error = together(world, [&] { entry = write_weights(*writer, context, state); });
  }
  if (error.empty()) {
    const std::vector<std::string> entries = world.all_gather_text(entry);
    error = together(world, [&] { write_description(*writer, context, state, step, entries); });
  }
  std::vector<std::string> lists;
  std::string warning;
  if (error.empty()) lists = world.all_gather_text(to_json(writer->files()).dump());
  if (error.empty()) {
    error = together(world, [&] {
      if (!root) return;
      Manifest manifest{.step = step, .run_id = context.run_id, .files = {}, .fields = {}};
      for (const std::string& list : lists) {
        for (FileRecord& record : file_records(parse_json(list, "file list"), "file list")) {
          manifest.files.push_back(std::move(record));
        }
      }
      manifest.fields = manifest_fields(context, state, position);
      warning = writer->commit(manifest);
      const std::int64_t best = context.keep_best ? position.best.step : -1;
      const std::string pointed = best < 0 ? "" : point_best_to(context.directory, best);
      const std::string kept = retain(context.directory, context.keep, step, best);
      if (warning.empty()) warning = pointed.empty() ? kept : pointed;
    });
  }
  if (!error.empty() && root && writer) {
    try {
      writer->abandon();
    } catch (const Error&) {  // what is left is removed at the next start
    }
  }
  return {error, warning};
}

Position restore_checkpoint(const CheckpointContext& context, const Checkpoint& checkpoint,
                            const TrainingState& state) {
  const Manifest manifest = read_manifest(checkpoint);
  const auto stored = manifest.fields.value("tokenizer_fingerprint", std::uint64_t{0});
  if (stored != context.tokenizer_fingerprint && !context.allow_changes) {
    throw DataError("{}: was trained with another tokenizer (fingerprint {:x}, the job's is {:x})",
                    checkpoint.path.string(), stored, context.tokenizer_fingerprint);
  }
  load_stored_weights(checkpoint, state);
  const auto frozen = manifest.fields.value("frozen", std::vector<std::string>{});
  const auto may_miss = [&](const Parameter& parameter) {
    return context.allow_changes || matches_any(frozen, parameter.name);
  };
  read_optimizer(checkpoint.path, manifest, may_miss, state.parameters, state.optimizer);
  state.loss_scale.restore(stored_loss_scale(manifest.fields), checkpoint.path.string());
  Position position = {.step = checkpoint.step, .samples = 0, .tokens = 0};
  position.samples = manifest.fields.value("samples", std::int64_t{-1});
  position.tokens = manifest.fields.value("tokens", std::int64_t{-1});
  position.best = best_step_of(manifest.fields, checkpoint.path.string());
  return position;
}

}  // namespace ty
