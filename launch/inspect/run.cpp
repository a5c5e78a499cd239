#include <fmt/format.h>

#include <fstream>

#include "core/base/error.h"
#include "core/data/token_file.h"
#include "core/io/checkpoint.h"
#include "core/io/json.h"
#include "core/io/run_lock.h"
#include "launch/inspect/inspection.h"
#include "launch/job/job_config.h"
#include "launch/report/text.h"
#include "launch/run/best_step.h"

namespace ty {

namespace {

using Json = nlohmann::json;

// The newest lines of metrics.jsonl; a line that a crash cut short is passed over.
struct LastMetrics {
  Json training, validation;  // null: none yet
  std::int64_t step() const {
    return training.is_null() ? 0 : training["step"].get<std::int64_t>();
  }
};

LastMetrics read_metrics(const Path& file) {
  LastMetrics last;
  if (!std::filesystem::exists(file)) return last;
  static_cast<void>(File::open(file));  // a pipe in its place would be waited for
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_object() || !json.contains("step") || !json["step"].is_number_integer()) continue;
    if (json.contains("loss")) last.training = json;
    if (json.contains("valid_loss")) last.validation = json;
  }
  return last;
}

void add_metrics(Inspection& result, const LastMetrics& last) {
  result.facts["last"] = last.training;
  result.facts["last_valid"] = last.validation;
  if (!last.training.is_null()) {
    result.line("loss",
                fmt::format("{:.4f} at step {}", last.training.value("loss", 0.0), last.step()));
  }
  if (last.validation.is_null()) return;
  const double bits = last.validation.value("bits_per_byte", 0.0);
  result.line("valid",
              fmt::format("loss {:.4f} at step {}{}", last.validation.value("valid_loss", 0.0),
                          last.validation["step"].get<std::int64_t>(),
                          bits > 0 ? fmt::format(", {:.4f} bits per byte", bits) : ""));
}

std::uint64_t bytes_in(const Path& directory) {
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  return bytes;
}

struct Verdict {
  Checkpoint checkpoint;
  std::optional<std::string> damage;
};

// Reads and hashes all of them, newest first.
std::vector<Verdict> check_all(const Path& checkpoints) {
  std::vector<Verdict> verdicts;
  for (const Checkpoint& checkpoint : find_checkpoints(checkpoints)) {
    verdicts.push_back({checkpoint, find_damage(checkpoint)});
  }
  return verdicts;
}

std::optional<std::int64_t> newest_valid_step(const std::vector<Verdict>& verdicts) {
  for (const Verdict& verdict : verdicts) {
    if (!verdict.damage) return verdict.checkpoint.step;
  }
  return std::nullopt;
}

void add_checkpoints(Inspection& result, const std::vector<Verdict>& verdicts) {
  const std::optional<std::int64_t> newest = newest_valid_step(verdicts);
  Table table({"checkpoint", "bytes", "hashes"});
  Json list = Json::array();
  for (const auto& [checkpoint, damage] : verdicts) {
    const std::uint64_t bytes = bytes_in(checkpoint.path);
    table.add({checkpoint.path.filename().string(), human_bytes(static_cast<double>(bytes)),
               damage ? "DAMAGED" : "ok"});
    list.push_back({{"step", checkpoint.step}, {"bytes", bytes}, {"valid", !damage}});
    if (damage) {
      result.fault(fmt::format("{}: {}; {}", checkpoint.path.parent_path().string(), *damage,
                               newest ? fmt::format("step {} is the newest that is whole", *newest)
                                      : "no checkpoint is whole"));
    }
  }
  result.text += list.empty() ? "  no checkpoint yet\n" : fmt::format("\n{}", table.str());
  result.facts["checkpoints"] = std::move(list);
  result.facts["resumes_from"] = newest ? Json(*newest) : Json();
}

void add_data(Inspection& result, const Path& directory) {
  std::string line;
  for (const char* name : {"train", "valid"}) {
    const Path file = directory / fmt::format("{}.bin", name);
    if (!std::filesystem::exists(file)) continue;
    const std::int64_t tokens = TokenFile(file).size();
    result.facts["tokens"][name] = tokens;
    line += fmt::format("{}{} {} tokens", line.empty() ? "" : ", ", name,
                        human_count(static_cast<double>(tokens)));
  }
  if (!line.empty()) result.line("data", line);
}

// Of the newest checkpoint that is whole.
BestStep best_of(const std::vector<Verdict>& verdicts) {
  for (const auto& [checkpoint, damage] : verdicts) {
    if (!damage) {
      return best_step_of(read_manifest(checkpoint).fields, checkpoint.path.string());
    }
  }
  return {};
}

std::string state_of(const Path& directory, const JobConfig& job, std::int64_t done,
                     std::int64_t saved, const BestStep& best) {
  if (is_locked(directory)) return "running";
  if (job.run.steps > 0 && saved >= job.run.steps) return "complete";
  if (stops_early(job, best)) return "stopped early";
  return done == 0 ? "not started" : "stopped";
}

}  // namespace

Inspection inspect_run(const Path& directory) {
  Inspection result;
  const LastMetrics last = read_metrics(directory / "metrics.jsonl");
  const std::vector<Verdict> checkpoints = check_all(directory / "checkpoints");
  try {
    static_cast<void>(File::open(directory / "config.yaml"));
    const JobConfig job = load_job(directory / "config.yaml");
    const BestStep best = best_of(checkpoints);
    const std::string state =
        state_of(directory, job, last.step(), newest_valid_step(checkpoints).value_or(0), best);
    result.facts.update({{"name", job.run.name},
                         {"state", state},
                         {"steps_done", last.step()},
                         {"steps", job.run.steps}});
    result.line("name", job.run.name);
    result.line("state", fmt::format("{}, {} of {} steps", state, last.step(), job.run.steps));
    result.facts["best"] = best.step < 0 ? Json() : to_json(best);
    if (best.step >= 0) result.line("best", describe(best));
    add_data(result, directory / "data");
  } catch (const Error& error) {
    result.fault(error.what());
  }
  add_metrics(result, last);
  add_checkpoints(result, checkpoints);
  return result;
}

}  // namespace ty
