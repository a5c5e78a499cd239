#include "launch/run/run_directory.h"

#include <unistd.h>

#include <chrono>
#include <functional>

#include "core/base/error.h"
#include "core/config/print.h"
#include "core/io/json.h"
#include "launch/process/output.h"

namespace ty {

namespace {

using Json = nlohmann::json;
constexpr std::uint64_t kMaxLog = std::uint64_t{1} << 32;
constexpr std::string_view kSampleHead = "--- step ";

std::unique_ptr<RunLock> lock(const Path& directory) {
  return std::make_unique<RunLock>(directory, [&](const std::string& holder) {
    remark(fmt::format("{}: waiting for {} to let go of this run", directory.string(), holder));
  });
}

std::string new_run_id(const std::string& name) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return fmt::format("{}-{:x}-{:x}", name,
                     std::chrono::duration_cast<std::chrono::microseconds>(now).count(), getpid());
}

Json read_run_manifest(const Path& file) {
  if (!std::filesystem::exists(file)) return Json::object();
  constexpr const char* kAdvice = "remove it, and the run goes on without it";
  Json manifest;
  try {
    manifest = parse_json(read_text_file(file, kMaxManifestBytes), file.string());
  } catch (const DataError& e) {
    throw DataError("{}; {}", e.what(), kAdvice);
  }
  const auto is_text = [&](const char* key) {
    return !manifest.contains(key) || manifest[key].is_string();
  };
  // A run without a tokenizer says null.
  const auto is_object = [&](const char* key) {
    return !manifest.contains(key) || manifest[key].is_object() || manifest[key].is_null();
  };
  if (!manifest.is_object() || !is_text("run_id") || !is_object("inputs") ||
      !is_object("tokenizer")) {
    throw DataError("{}: is not the manifest of a run; {}", file.string(), kAdvice);
  }
  return manifest;
}

std::optional<JobConfig> read_job(const Path& file) {
  if (!std::filesystem::exists(file)) return std::nullopt;
  static_cast<void>(File::open(file));  // a pipe in its place would be waited for
  try {
    return load_job(file);
  } catch (const ConfigError& e) {
    const std::string lines = e.what();
    throw DataError("{}; the file says with which job this run was started: put it back",
                    lines.substr(0, lines.find('\n')));
  }
}

NewestCheckpoint look_for_checkpoint(const Path& checkpoints) {
  NewestCheckpoint newest = newest_valid(checkpoints);
  if (newest.checkpoint || newest.skipped.empty()) return newest;
  throw DataError("{}: no checkpoint is valid: {}; remove the directory to start afresh",
                  checkpoints.string(), to_text(newest.skipped));
}

// Rewrites a log without the parts that `drop` names; `cut` gives the length of the first part.
void filter(const Path& file, const std::function<std::size_t(std::string_view)>& cut,
            const std::function<bool(std::string_view)>& keep) {
  if (!std::filesystem::exists(file)) return;
  const std::string text = read_text_file(file, kMaxLog);
  std::string kept;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t length = cut(rest);
    if (keep(rest.substr(0, length))) kept += rest.substr(0, length);
    rest.remove_prefix(length);
  }
  if (kept != text) atomic_write_file(file, bytes_of(kept));
}

void rewind_metrics(const Path& file, std::int64_t step) {
  const auto line = [](std::string_view text) {
    const std::size_t end = text.find('\n');
    return end == std::string_view::npos ? text.size() : end + 1;
  };
  filter(file, line, [&](std::string_view text) {
    const Json json = Json::parse(text, nullptr, false);
    return text.ends_with('\n') && json.is_object() && json.contains("step") &&
           json["step"].is_number_integer() && json["step"].get<std::int64_t>() <= step;
  });
}

void rewind_samples(const Path& file, std::int64_t step) {
  const auto entry = [](std::string_view text) {
    const std::size_t next = text.find(fmt::format("\n{}", kSampleHead));
    return next == std::string_view::npos ? text.size() : next + 1;
  };
  filter(file, entry, [&](std::string_view text) {
    if (!text.starts_with(kSampleHead)) return false;
    return std::strtoll(text.data() + kSampleHead.size(), nullptr, 10) <= step;
  });
}

}  // namespace

RunDirectory::RunDirectory(const Path& directory) : directory_(directory) {
  if (!std::filesystem::exists(directory)) return;
  lock_ = lock(directory);
  newest_ = look_for_checkpoint(directory / "checkpoints");
  manifest_ = read_run_manifest(directory / "manifest.json");
  job_ = read_job(directory / "config.yaml");
}

std::string RunDirectory::run_id() const {
  const std::string stated = manifest_.value("run_id", "");
  if (!stated.empty() || !newest_.checkpoint) return stated;
  return read_manifest(*newest_.checkpoint).run_id;
}

void RunDirectory::begin(const JobConfig& job, Json facts, std::int64_t step) {
  std::error_code error;
  std::filesystem::create_directories(directory_ / "checkpoints", error);
  if (error) {
    throw IoError(Key{"run.dir"}, "{}: {}; choose another one", directory_.string(),
                  error.message());
  }
  if (!lock_) lock_ = lock(directory_);
  const std::string id = run_id();
  facts["run_id"] = id.empty() ? new_run_id(job.run.name) : id;
  facts["name"] = job.run.name;
  facts["seed"] = job.run.seed;
  manifest_ = std::move(facts);
  atomic_write_file(directory_ / "manifest.json", bytes_of(manifest_.dump(2) + "\n"));
  atomic_write_file(directory_ / "config.yaml", bytes_of(config::to_yaml(job)));
  remove_unfinished(directory_ / "checkpoints");
  rewind_metrics(directory_ / "metrics.jsonl", step);
  rewind_samples(directory_ / "samples.txt", step);
}

void RunDirectory::append(const char* name, const std::string& text) {
  File file = File::append(directory_ / name);
  const std::uint64_t before = file.size();
  try {
    file.write_all(bytes_of(text));
  } catch (const IoError&) {
    file.truncate(before);  // no half lines
    throw;
  }
}

void RunDirectory::log(const Json& line) { append("metrics.jsonl", line.dump() + "\n"); }

void RunDirectory::add_sample(std::int64_t step, const std::string& text) {
  append("samples.txt", fmt::format("{}{} ---\n{}\n\n", kSampleHead, step, text));
}

void RunDirectory::write_trace(const std::string& text) {
  atomic_write_file(directory_ / "trace.json", bytes_of(text));
}

}  // namespace ty
