#include "launch/run/model_path.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/io/checkpoint.h"

namespace ty {

namespace {

// The step that a checkpoint's manifest names.
Checkpoint as_checkpoint(const Path& path) {
  const Path file = path / kManifestName;
  constexpr std::uint64_t kMaxManifest = 64'000'000;
  return {parse_manifest(read_text_file(file, kMaxManifest), file.string()).step, path};
}

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
    const Checkpoint checkpoint = as_checkpoint(path);
    if (const auto damage = find_damage(checkpoint))
      throw DataError("{}: {}", path.string(), *damage);
    return {path, ""};
  }
  if (std::filesystem::is_directory(path / "checkpoints")) return newest_of_run(path);
  throw UsageError(
      "{}: no model here: wants a run directory (checkpoints/), a checkpoint or a model "
      "directory (config.json)",
      path.string());
}

}  // namespace ty
