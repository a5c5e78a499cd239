#include "launch/run_directory.h"

#include <unistd.h>

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/base/error.h"
#include "core/config/print.h"
#include "core/io/checkpoint.h"
#include "core/io/json.h"

namespace ty {

namespace {

using Json = nlohmann::json;
constexpr std::uint64_t kMaxManifest = std::uint64_t{16} << 20;

Path made(const Path& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory / "checkpoints", error);
  if (error) throw IoError("{}: {}; choose another run.dir", directory.string(), error.message());
  return directory;
}

std::string new_run_id(const std::string& name) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return fmt::format("{}-{:x}-{:x}", name,
                     std::chrono::duration_cast<std::chrono::microseconds>(now).count(), getpid());
}

}  // namespace

RunDirectory::RunDirectory(const JobConfig& job, const std::vector<std::string>& argv,
                           const Json& facts)
    : directory_(made(job.run.dir)), lock_(directory_) {
  const Path file = directory_ / "manifest.json";
  if (std::filesystem::exists(file)) {
    run_id_ = parse_json(read_text_file(file, kMaxManifest), file.string()).value("run_id", "");
  }
  if (run_id_.empty()) run_id_ = new_run_id(job.run.name);
  Json manifest = facts;
  manifest["run_id"] = run_id_;
  manifest["name"] = job.run.name;
  manifest["seed"] = job.run.seed;
  manifest["argv"] = argv;
  const std::string text = manifest.dump(2) + "\n";
  atomic_write_file(file, bytes_of(text));
  const std::string yaml = config::to_yaml(job);
  atomic_write_file(directory_ / "config.yaml", bytes_of(yaml));
}

void RunDirectory::rewind_metrics(std::int64_t step) {
  const Path file = directory_ / "metrics.jsonl";
  if (!std::filesystem::exists(file)) return;
  std::ifstream in(file);
  std::string kept, line;
  while (std::getline(in, line)) {
    const Json json = Json::parse(line, nullptr, false);
    if (json.is_discarded() || json.value("step", std::int64_t{0}) > step) continue;
    kept += line + "\n";
  }
  atomic_write_file(file, bytes_of(kept));
}

void RunDirectory::log(const Json& line) {
  std::ofstream out(directory_ / "metrics.jsonl", std::ios::app);
  out << line.dump() << '\n';
  if (!out) throw IoError("{}: cannot be written", (directory_ / "metrics.jsonl").string());
}

void RunDirectory::add_sample(std::int64_t step, const std::string& text) {
  std::ofstream out(directory_ / "samples.txt", std::ios::app);
  out << "--- step " << step << " ---\n" << text << "\n\n";
}

Path find_model(const Path& path) {
  if (std::filesystem::exists(path / "config.json")) return path;
  if (std::filesystem::is_directory(path / "checkpoints")) {
    const NewestCheckpoint newest = newest_valid(path / "checkpoints");
    if (newest.checkpoint) return newest.checkpoint->path;
    throw DataError("{}: has no valid checkpoint yet", path.string());
  }
  throw UsageError(
      "{}: no model here: wants a run directory (checkpoints/), a checkpoint or a model "
      "directory (config.json)",
      path.string());
}

}  // namespace ty
