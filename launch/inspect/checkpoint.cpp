#include "core/io/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/io/json_fields.h"
#include "launch/inspect/inspection.h"
#include "launch/job/limits.h"
#include "launch/report/text.h"
#include "launch/run/layout.h"

namespace ty {

namespace {

Checkpoint checkpoint_at(const Path& directory) {
  for (const Checkpoint& checkpoint : find_checkpoints(directory.parent_path())) {
    if (checkpoint.path.filename() == directory.filename()) return {checkpoint.step, directory};
  }
  return copied_checkpoint(directory);
}

void add_files(Inspection& result, const std::vector<FileVerdict>& files) {
  Table table({"file", "bytes", "hash"});
  std::uint64_t bytes = 0;
  std::int64_t shards = 0;
  nlohmann::json list = nlohmann::json::array();
  for (const auto& [record, damage] : files) {
    bytes += record.summary.size;
    shards += record.name.starts_with("optimizer-") ? 1 : 0;
    table.add({record.name, human_bytes(static_cast<double>(record.summary.size)),
               damage.empty() ? "ok" : "DAMAGED"});
    list.push_back({{"name", record.name},
                    {"bytes", record.summary.size},
                    {"hash", record.summary.hash},
                    {"valid", damage.empty()}});
    if (!damage.empty()) result.fault(damage);
  }
  result.facts["files"] = std::move(list);
  result.facts["bytes"] = bytes;
  result.facts["optimizer_shards"] = shards;
  result.line("size", fmt::format("{} in {} files, optimizer state in {} shard{}",
                                  human_bytes(static_cast<double>(bytes)), files.size(), shards,
                                  shards == 1 ? "" : "s"));
  result.text += fmt::format("\n{}\n", table.str());
}

// ": 2 data x 2 tensor"; "" where only data ranks, or nothing, is known.
std::string layout_of(const nlohmann::json& fields) {
  if (!fields.contains("layout")) return "";
  const JsonFields layout(fields["layout"], "manifest.json: layout");
  const auto degree = [&](const char* axis) {
    return layout.has(axis) ? static_cast<int>(layout.integer(axis, {1, kMostRanks})) : 1;
  };
  const MeshShape mesh = {
      .pipeline = degree("pipeline"), .data = degree("data"), .tensor = degree("tensor")};
  return mesh.tensor == 1 && mesh.pipeline == 1 ? "" : ": " + describe_axes(mesh);
}

}  // namespace

Inspection inspect_checkpoint(const Path& directory) {
  Inspection result;
  try {
    const Checkpoint checkpoint = checkpoint_at(directory);
    result.facts["step"] = checkpoint.step;
    const Manifest manifest = read_manifest(checkpoint);
    const auto ranks = manifest.fields.value("ranks", std::int64_t{1});
    result.facts["run_id"] = manifest.run_id;
    result.facts["ranks"] = ranks;
    if (manifest.fields.contains("layout")) result.facts["layout"] = manifest.fields["layout"];
    result.line("step", fmt::format("{} of run {}", checkpoint.step, manifest.run_id));
    result.line("written by", fmt::format("{} rank{}{}", ranks, ranks == 1 ? "" : "s",
                                          layout_of(manifest.fields)));
    if (manifest.fields.contains("loss_scale")) {
      result.facts["loss_scale"] = manifest.fields["loss_scale"];
      const JsonFields scale(manifest.fields["loss_scale"], "manifest.json: loss_scale");
      result.line("loss scale",
                  fmt::format("{}, {} steps skipped so far", scale.number("scale", 0, 1e300),
                              scale.integer("skipped_steps", {0, kMostSteps})));
    }
    add_files(result, check_files(checkpoint, manifest));
  } catch (const Error& error) {  // a file that cannot be read is as bad as a damaged one
    result.fault(error.what());
  }
  const Inspection model = inspect_model(directory);
  result.facts["model"] = model.facts;
  result.text += model.text;
  if (!model.damage.empty()) result.fault(model.damage, model.code);
  return result;
}

}  // namespace ty
