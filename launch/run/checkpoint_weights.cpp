#include "launch/run/checkpoint_weights.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/io/json.h"
#include "core/io/safetensors.h"
#include "models/huggingface/model_writer.h"

namespace ty {

namespace {

using Json = nlohmann::json;
using Outgoing = std::vector<OutgoingParameter>;

// "model.safetensors", or one file per kind and stage.
std::string file_name(const Mesh& mesh, const char* kind) {
  const int stages = mesh.shape().pipeline;
  if (stages == 1) return fmt::format("model{}.safetensors", kind);
  return fmt::format("model{}-{:05}-of-{:05}.safetensors", kind, mesh.at().pipeline + 1, stages);
}

bool is_same(const std::vector<TensorInfo>& wanted, const SafetensorsFile& file) {
  const auto is_there = [&](const TensorInfo& each) {
    if (!file.contains(each.name)) return false;
    const StoredTensor& there = file.tensor(each.name);
    return there.shape == each.shape && there.dtype() == each.dtype;
  };
  return file.tensors().size() == wanted.size() &&
         std::all_of(wanted.begin(), wanted.end(), is_there);
}

// Adds the file of the checkpoint before this one that holds these tensors, which have not changed
// since. False if it has no such file, or the file system no links.
bool add_link(CheckpointWriter& writer, const std::optional<Checkpoint>& before,
              const std::string& file, const std::vector<TensorInfo>& wanted) {
  if (!before || !std::filesystem::exists(before->path / file)) return false;
  for (const FileRecord& record : read_manifest(*before).files) {
    if (record.name != file) continue;
    return is_same(wanted, SafetensorsFile(before->path / file, Links::refuse)) &&
           writer.link(before->path, record);
  }
  return false;
}

// Adds a file of parameters and lists its tensors in `entry`.
void add_file(Json& entry, const std::string& file, const std::vector<TensorInfo>& tensors) {
  std::int64_t bytes = 0;
  Json names = Json::array();
  for (const TensorInfo& tensor : tensors) {
    bytes += tensor.shape.numel() * static_cast<std::int64_t>(size_of(tensor.dtype));
    names.push_back(tensor.name);
  }
  entry.push_back({{"file", file}, {"bytes", bytes}, {"tensors", std::move(names)}});
}

void add_parameters(CheckpointWriter& writer, Json& entry, const std::string& file,
                    const Outgoing& parameters, const ModelSpec& spec) {
  if (parameters.empty()) return;
  std::vector<TensorInfo> tensors;
  writer.add(file, [&](FileWriter& out) { tensors = write_parameters(out, parameters, spec); });
  add_file(entry, file, tensors);
}

void add_frozen(CheckpointWriter& writer, Json& entry, const std::string& file,
                const CheckpointContext& context, const Outgoing& parameters,
                const ModelSpec& spec) {
  const std::vector<TensorInfo> tensors = tensors_of(parameters, spec);
  if (tensors.empty()) return;
  if (!add_link(writer, context.before, file, tensors)) {
    return add_parameters(writer, entry, file, parameters, spec);
  }
  add_file(entry, file, tensors);
}

}  // namespace

// All data ranks hold the same weights, so the first ones write them.
std::string write_weights(CheckpointWriter& writer, const CheckpointContext& context,
                          const TrainingState& state) {
  if (context.mesh.at().data != 0) return "";
  const ParameterStore& store = state.parameters.store();
  Json entry = Json::array();
  with_whole_parameters(
      state.parameters, Content::weights, context.mesh.tensor(),
      [&](std::span<const OutgoingParameter> parameters) {
        if (context.frozen.empty()) {
          return add_parameters(writer, entry, file_name(context.mesh, ""),
                                {parameters.begin(), parameters.end()}, state.spec);
        }
        Outgoing trained, frozen;
        for (const OutgoingParameter& each : parameters) {
          (store.find(each.name)->trainable ? trained : frozen).push_back(each);
        }
        add_parameters(writer, entry, file_name(context.mesh, "-trained"), trained, state.spec);
        add_frozen(writer, entry, file_name(context.mesh, "-frozen"), context, frozen, state.spec);
      });
  return entry.empty() ? "" : entry.dump();
}

// As the public library writes it.
void write_index(CheckpointWriter& writer, const CheckpointContext& context,
                 const std::vector<std::string>& entries) {
  if (context.mesh.shape().pipeline == 1 && context.frozen.empty()) return;
  std::int64_t bytes = 0;
  Json places = Json::object();
  for (const std::string& text : entries) {
    if (text.empty()) continue;
    for (const Json& entry : parse_json(text, "list of tensors")) {
      bytes += entry.at("bytes").get<std::int64_t>();
      for (const Json& name : entry.at("tensors")) {
        places[name.get<std::string>()] = entry.at("file");
      }
    }
  }
  const Json index = {{"metadata", {{"total_size", bytes}}}, {"weight_map", places}};
  writer.add("model.safetensors.index.json",
             [&](FileWriter& out) { out.write(index.dump(2) + "\n"); });
}

}  // namespace ty
