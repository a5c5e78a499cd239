#include "launch/run/checkpointing.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/io/json.h"
#include "core/io/tensor_set.h"
#include "launch/process/failure.h"
#include "models/huggingface/model_directory.h"
#include "models/huggingface/model_tensors.h"
#include "models/huggingface/model_writer.h"

namespace ty {

namespace {

using Json = nlohmann::json;

std::string shard_name(int rank) { return fmt::format("optimizer-{}.safetensors", rank); }

// "exp_avg|blocks.0.mlp.up.weight|4096": moment, parameter, first element.
std::string state_name(const std::string& state, const std::string& parameter, std::int64_t first) {
  return fmt::format("{}|{}|{}", state, parameter, first);
}

// The optimizer state of this rank's pieces.
void write_optimizer(FileWriter& out, TrainingSetup& setup) {
  const auto& all = setup.model.parameters->store().all();
  std::vector<TensorInfo> infos;
  std::map<std::string, Tensor> tensors;
  for (const Optimizer::State& state : setup.optimizer->states()) {
    std::int64_t first = 0;
    for (const Piece& piece : setup.optimizer->pieces()) {
      const std::string name =
          state_name(state.name, all[piece.parameter].name, piece.inside.first);
      infos.push_back({name, state.flat.dtype(), {piece.inside.count}});
      tensors[name] = slice(state.flat, {first, piece.inside.count});
      first += piece.inside.count;
    }
  }
  SafetensorsWriter writer(out, std::move(infos));
  std::vector<std::byte> host;
  for (const TensorInfo& info : writer.order()) {
    const View view = tensors.at(info.name).view();
    host.resize(view.bytes());
    setup.model.parameters->backend().read(host.data(), view);
    writer.append(contiguous_view(host.data(), info.dtype, info.shape));
  }
  writer.finish();
}

// A stored run of one moment of one parameter.
struct StoredPiece {
  std::int64_t first;
  View view;
};
using StoredState = std::map<std::string, std::vector<StoredPiece>>;  // by "moment|parameter"

void collect(StoredState& stored, const SafetensorsFile& file) {
  for (const StoredTensor& tensor : file.tensors()) {
    const std::size_t bar = tensor.name.rfind('|');
    std::int64_t first = 0;
    const char* end = tensor.name.data() + tensor.name.size();
    if (bar == std::string::npos ||
        std::from_chars(tensor.name.data() + bar + 1, end, first).ptr != end) {
      throw DataError("{}: {}: not the name of an optimizer tensor", file.path().string(),
                      in_quotes(tensor.name));
    }
    stored[tensor.name.substr(0, bar)].push_back({first, file.view(tensor.name)});
  }
}

// Another optimizer's moments are of no use: if `may_differ`, those that are missing stay zero.
void read_optimizer(const Path& directory, const Manifest& manifest, bool may_differ,
                    TrainingSetup& setup) {
  std::vector<std::unique_ptr<SafetensorsFile>> files;
  StoredState stored;
  for (const FileRecord& record : manifest.files) {
    if (!record.name.starts_with("optimizer-")) continue;
    files.push_back(std::make_unique<SafetensorsFile>(directory / record.name, Links::refuse));
    collect(stored, *files.back());
  }
  const auto& all = setup.model.parameters->store().all();
  Backend& backend = setup.model.parameters->backend();
  for (const Optimizer::State& state : setup.optimizer->states()) {
    std::int64_t flat = 0;
    for (const Piece& piece : setup.optimizer->pieces()) {
      const std::string key = state.name + "|" + all[piece.parameter].name;
      std::int64_t found = 0;
      for (const StoredPiece& part : stored[key]) {
        const std::int64_t first = std::max(part.first, piece.inside.first);
        const std::int64_t last =
            std::min(part.first + part.view.numel(), piece.inside.first + piece.inside.count);
        if (first >= last) continue;
        if (part.view.dtype != state.flat.dtype()) {
          throw DataError("{}: {}: file {} != config {}", directory.string(), key,
                          name_of(part.view.dtype), name_of(state.flat.dtype()));
        }
        backend.write(slice(state.flat, {flat + first - piece.inside.first, last - first}).view(),
                      part.view.slice(0, first - part.first, last - first).data);
        found += last - first;
      }
      if (found != piece.inside.count && !may_differ) {
        throw DataError(
            "{}: {}: {} of {} elements of the optimizer state are there; the run used "
            "another optimizer or model",
            directory.string(), key, found, piece.inside.count);
      }
      flat += piece.inside.count;
    }
  }
}

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

void check_finite(const Group& world, const TrainingSetup& setup, std::int64_t step) {
  std::string fault = setup.model.parameters->first_non_finite_weight();
  if (!fault.empty()) {
    fault = "weight " + fault;
  } else {
    fault = setup.optimizer->first_non_finite_state();
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

}  // namespace

SaveOutcome save_checkpoint(const CheckpointContext& context, TrainingSetup& setup,
                            const Position& position) {
  const bool root = context.world.rank() == 0;
  const std::int64_t step = position.step;
  setup.reducer.gather_weights();
  check_finite(context.world, setup, step);
  std::optional<CheckpointWriter> writer;
  std::string error = together(context.world, [&] {
    if (root) writer = CheckpointWriter::begin(context.directory, step);
  });
  if (error.empty()) {
    error = together(context.world, [&] {
      if (!root) writer = CheckpointWriter::join(context.directory, step);
      if (root || context.sharded) {
        writer->add(shard_name(context.world.rank()),
                    [&](FileWriter& out) { write_optimizer(out, setup); });
      }
      if (!root) return;
      writer->add("model.safetensors", [&](FileWriter& out) {
        write_parameters(out, *setup.model.parameters, setup.model.spec, Content::weights);
      });
      writer->add("config.json",
                  [&](FileWriter& out) { write_model_config(out, setup.model.spec); });
      add_tokenizer(*writer, context.tokenizer_directory);
    });
  }
  std::vector<std::string> lists;
  std::string warning;
  if (error.empty()) lists = context.world.all_gather_text(to_json(writer->files()).dump());
  if (error.empty()) {
    error = together(context.world, [&] {
      if (!root) return;
      Manifest manifest{.step = step, .run_id = context.run_id, .files = {}, .fields = {}};
      for (const std::string& list : lists) {
        for (FileRecord& record : file_records(parse_json(list, "file list"), "file list")) {
          manifest.files.push_back(std::move(record));
        }
      }
      manifest.fields = {{"ranks", context.world.size()},
                         {"samples", position.samples},
                         {"tokens", position.tokens},
                         {"tokenizer_fingerprint", context.tokenizer_fingerprint}};
      warning = writer->commit(manifest);
      const std::string kept = retain(context.directory, context.keep, step);
      if (warning.empty()) warning = kept;
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
                            TrainingSetup& setup) {
  const Manifest manifest = read_manifest(checkpoint);
  const auto stored = manifest.fields.value("tokenizer_fingerprint", std::uint64_t{0});
  if (stored != context.tokenizer_fingerprint && !context.allow_changes) {
    throw DataError("{}: was trained with another tokenizer (fingerprint {:x}, the job's is {:x})",
                    checkpoint.path.string(), stored, context.tokenizer_fingerprint);
  }
  load_weights(checkpoint.path, *setup.model.parameters, setup.model.spec);
  read_optimizer(checkpoint.path, manifest, context.allow_changes, setup);
  Position position = {.step = checkpoint.step, .samples = 0, .tokens = 0};
  position.samples = manifest.fields.value("samples", std::int64_t{-1});
  position.tokens = manifest.fields.value("tokens", std::int64_t{-1});
  return position;
}

}  // namespace ty
