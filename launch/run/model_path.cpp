#include "launch/run/model_path.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/io/checkpoint.h"
#include "models/huggingface/peft/peft_config.h"

namespace ty {

namespace {

ModelPath newest_of_run(const Path& run) {
  const NewestCheckpoint newest = newest_valid(run / "checkpoints");
  if (!newest.checkpoint) {
    throw DataError("{}: has no valid checkpoint{}", run.string(),
                    newest.skipped.empty() ? " yet" : ": " + to_text(newest.skipped));
  }
  ModelPath found = {newest.checkpoint->path, ""};
  if (!newest.skipped.empty()) {
    found.warning = fmt::format("{}: step {} is used, newer checkpoints are damaged ({})",
                                run.string(), newest.checkpoint->step, to_text(newest.skipped));
  }
  return found;
}

}  // namespace

ModelPath find_model(const Path& path) {
  if (std::filesystem::exists(path / "config.json")) {
    if (!std::filesystem::exists(path / kManifestName)) return {path, ""};
    if (const auto damage = find_damage(copied_checkpoint(path)))
      throw DataError("{}: {}", path.string(), *damage);
    return {path, ""};
  }
  if (std::filesystem::is_directory(path / "checkpoints")) return newest_of_run(path);
  if (is_peft_directory(path)) {
    throw UsageError(
        "{0}: adapters of a model, not the model: trainyard import {0} OUT --base MODEL makes one "
        "that has them",
        path.string());
  }
  throw UsageError(
      "{}: no model here: wants a run directory (checkpoints/), a checkpoint or a model "
      "directory (config.json)",
      path.string());
}

}  // namespace ty
