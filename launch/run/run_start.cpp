#include "launch/run/run_start.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "launch/job/job_changes.h"
#include "launch/process/on_root.h"
#include "launch/run/best_step.h"
#include "launch/run/job_check.h"
#include "launch/run/job_inputs.h"
#include "launch/run/model_setup.h"
#include "models/huggingface/model_directory.h"
#include "models/linear/guides.h"
#include "models/linear/pruning.h"

namespace ty {

namespace {

using Json = nlohmann::json;

constexpr const char* kHowToGoOn =
    "keep them, set run.allow_changes: true, or name another run.dir";

// What rank 0 finds out, one step after the other.
class Beginning {
 public:
  explicit Beginning(const JobConfig& job) : job_(job) {}

  // Whether the directory's run may go on as this job.
  void compare() {
    directory_ = std::make_unique<RunDirectory>(job_.run.dir);
    inputs_ = inputs_of(job_);
    const NewestCheckpoint& newest = directory_->newest();
    if (!newest.checkpoint) return;
    check_steps(newest.checkpoint->step);
    check_run_id(*newest.checkpoint);
    check_changes();
    check_same_layers();
    if (newest.skipped.empty()) return;
    notes_.push_back(fmt::format("warning: passed over damaged checkpoints ({}); {} steps are lost",
                                 to_text(newest.skipped),
                                 newest.skipped.front().step - newest.checkpoint->step));
  }

  void prepare_data() { data_.emplace(job_, *directory_); }

  // `config` is the job's model with this data.
  void check_data(const ModelSpec& config) {
    data_->check(config, job_.data.sequence, static_cast<std::uint64_t>(job_.run.seed));
  }

  void write(Json facts) {
    facts["inputs"] = to_json(inputs_);
    facts["tokenizer"] = data_->tokenizer_origin();
    const auto& checkpoint = directory_->newest().checkpoint;
    directory_->begin(job_, std::move(facts), checkpoint ? checkpoint->step : -1);
    data_->write();
  }

  // "" if the run goes on.
  std::string why_finished() const {
    const auto& checkpoint = directory_->newest().checkpoint;
    if (!checkpoint) return "";
    if (checkpoint->step == job_.run.steps) {
      return fmt::format("all {} steps are done; raise {} to go on", job_.run.steps,
                         job_.steps_key);
    }
    const BestStep best =
        best_step_of(read_manifest(*checkpoint).fields, checkpoint->path.string());
    if (!stops_early(job_, best)) return "";
    return fmt::format(
        "stopped early after step {} of {}: {}; raise run.early_stop.patience to go on",
        checkpoint->step, job_.run.steps, describe(best));
  }
  // For the other ranks.
  Json found() const {
    const auto& checkpoint = directory_->newest().checkpoint;
    return {{"step", checkpoint ? checkpoint->step : -1},
            {"finished", why_finished()},
            {"vocab", data_ ? data_->sizes().vocab : 0},
            {"labels", data_ ? data_->sizes().labels : 0},
            {"notes", notes_}};
  }
  std::unique_ptr<RunDirectory> take_directory() { return std::move(directory_); }

 private:
  void check_steps(std::int64_t newest) const {
    if (job_.run.steps >= newest) return;
    throw ConfigError(Key{job_.steps_key},
                      "{} is less than the {} steps that {} has done; want {} or more, or "
                      "another run.dir",
                      job_.run.steps, newest, job_.run.dir.string(), newest);
  }

  void check_run_id(const Checkpoint& checkpoint) const {
    const std::string stored = read_manifest(checkpoint).run_id, own = directory_->run_id();
    if (stored == own) return;
    throw DataError("{}: belongs to run {}, the directory to run {}; move it away",
                    checkpoint.path.string(), stored, own);
  }

  void check_changes() {
    if (!directory_->job() && !job_.run.allow_changes) {
      throw DataError(
          "{}: missing, so it is not known with which job this run was started; put it back, or "
          "set "
          "run.allow_changes: true",
          (job_.run.dir / "config.yaml").string());
    }
    std::vector<JobChange> changes;
    if (directory_->job()) changes = changes_between(*directory_->job(), job_);
    if (directory_->manifest().contains("inputs")) {
      const auto more = changes_between(directory_->manifest()["inputs"], inputs_);
      changes.insert(changes.end(), more.begin(), more.end());
    }
    std::vector<JobChange> fixed;
    std::copy_if(changes.begin(), changes.end(), std::back_inserter(fixed),
                 [](const JobChange& change) { return change.is_fixed; });
    if (!fixed.empty() && !job_.run.allow_changes) {
      throw ConfigError("{}: the run was started with other values: {}; {}", job_.run.dir.string(),
                        to_text(fixed), kHowToGoOn);
    }
    if (!changes.empty()) notes_.push_back("  changed since this run began: " + to_text(changes));
  }

  // The files of a run stay with the linear layers that it was started with.
  void check_same_layers() const {
    const Path& directory = directory_->newest().checkpoint->path;
    const ModelSpec there_now = read_model_config(directory);
    const std::int64_t step = directory_->newest().checkpoint->step;
    const auto at_step = [&](const ModelSpec& spec) {
      return LinearRules(with_ended_pruning(without_guides(spec.linear, step), step));
    };
    const LinearRules stored = at_step(there_now);
    const ModelSpec config = at_model(job_, [&] {
      return resolve_model(job_, {there_now.vocab, there_now.head.labels});
    });
    const Model model(describe_model(config), at_step(config));
    for (const LinearSite& site : model.linear_sites()) {
      const LinearSpec there = stored.choose(site.path, site.shape);
      const std::vector<JobChange> changes = changes_between(there, site.spec);
      if (changes.empty()) continue;
      throw ConfigError(
          Key{"linear"},
          "{} is {} in {}, the job says {} ({}); keep the rules, or name another run.dir",
          site.path, describe(there), directory.string(), describe(site.spec), to_text(changes));
    }
  }

  const JobConfig& job_;
  std::unique_ptr<RunDirectory> directory_;
  std::vector<JobInput> inputs_;
  std::optional<PreparedData> data_;
  std::vector<std::string> notes_;
};

}  // namespace

RunStart start_run(const JobConfig& job, const Group& world, const MeshShape& mesh,
                   const Json& facts) {
  Beginning beginning(job);
  RunStart start;
  const Json found = Json::parse(on_root(world, [&] {
    beginning.compare();
    if (beginning.why_finished().empty()) beginning.prepare_data();
    return beginning.found().dump();
  }));
  start.why_finished = found["finished"].get<std::string>();
  start.is_finished = !start.why_finished.empty();
  if (const auto step = found["step"].get<std::int64_t>(); step >= 0) {
    start.checkpoint = {step, job.run.dir / "checkpoints" / fmt::format("step-{}", step)};
  }
  start.notes = found["notes"].get<std::vector<std::string>>();
  if (start.is_finished) return start;
  start.config = at_model(job, [&] {
    return resolve_model(job,
                         {found["vocab"].get<std::int64_t>(), found["labels"].get<std::int64_t>()});
  });
  // Again, for only now the size of the vocabulary is known.
  check_model(job, start.config, mesh);
  on_root_do(world, [&] {
    beginning.check_data(start.config);
    beginning.write(facts);
  });
  start.dataset = open_dataset(job, start.config, mesh.tensor);
  start.directory = beginning.take_directory();
  return start;
}

}  // namespace ty
