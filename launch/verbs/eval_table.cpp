#include "launch/verbs/eval_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/io/json.h"
#include "core/metrics/glue_score.h"
#include "core/metrics/mean.h"
#include "launch/report/text.h"
#include "launch/run/model_path.h"
#include "launch/verbs/eval_task.h"
#include "launch/verbs/task_file.h"

namespace ty {

namespace {

// What was measured: by task, and by the place of a set among the task's.
using Measured = std::map<std::string, std::map<std::size_t, std::vector<double>>>;

const GlueTask& task_named(const std::string& name) {
  const auto tasks = glue_tasks();
  return *std::find_if(tasks.begin(), tasks.end(),
                       [&](const GlueTask& task) { return task.name == name; });
}

// The place of a file among those of its task: dev_mismatched.tsv is the second of mnli. One of
// another name counts as the first.
std::size_t set_of(const GlueData& data, const Path& file) {
  const auto& files = data.dev_files;
  const auto found = std::find(files.begin(), files.end(), file.filename().string());
  return found == files.end() ? 0 : static_cast<std::size_t>(found - files.begin());
}

class Row {
 public:
  // `value_of` gives a metric by its name.
  void add(const std::string& item, const std::string& dataset, const Path& file,
           const std::function<double(std::string_view)>& value_of) {
    const GlueData* data = find_glue_data(dataset);
    if (data == nullptr) {
      throw UsageError("eval --table: {} is of data.dataset \"{}\"; want a set of GLUE", item,
                       dataset);
    }
    std::vector<double>& values = measured_[dataset][set_of(*data, file)];
    if (!values.empty()) {
      throw UsageError("eval --table: {} is the second for {} of {}", item,
                       file.filename().string(), dataset);
    }
    for (const Metric metric : task_named(dataset).metrics) {
      values.push_back(value_of(name_of(metric)));
    }
  }

  // Sets that have no numbers yet: "wnli", "mnli mismatched".
  std::vector<std::string> missing() const {
    std::vector<std::string> names;
    for (const GlueTask& task : glue_tasks()) {
      const auto found = measured_.find(std::string(task.name));
      for (std::size_t set = 0; set < task.sets.size(); ++set) {
        if (found != measured_.end() && found->second.contains(set)) continue;
        names.push_back(found == measured_.end() ? std::string(task.name)
                                                 : fmt::format("{} {}", task.name, task.sets[set]));
        if (found == measured_.end()) break;
      }
    }
    return names;
  }
  // Values of a task, its sets one after the other; empty without one.
  std::vector<double> values(const GlueTask& task) const {
    std::vector<double> all;
    const auto found = measured_.find(std::string(task.name));
    if (found == measured_.end()) return all;
    for (const auto& [set, values] : found->second) {
      all.insert(all.end(), values.begin(), values.end());
    }
    return all;
  }
  // Of all nine.
  double average() const {
    std::vector<GlueResult> results;
    for (const GlueTask& task : glue_tasks()) {
      results.push_back({std::string(task.name), values(task)});
    }
    return glue_average(results);
  }
  nlohmann::json task_json(const GlueTask& task) const {
    nlohmann::json json;
    for (const auto& [set, values] : measured_.at(std::string(task.name))) {
      for (std::size_t i = 0; i < values.size(); ++i) {
        const std::string_view of = task.sets[set];
        json[fmt::format("{}{}{}", name_of(task.metrics[i]), of.empty() ? "" : "_", of)] =
            values[i];
      }
    }
    return json;
  }

 private:
  Measured measured_;
};

constexpr std::uint64_t kLargestResult = 1 << 20;  // bytes

// What `eval --json` printed.
void add_printed(const Path& file, Row& row) {
  const std::string place = file.string();
  const nlohmann::json json = parse_json(read_text_file(file, kLargestResult), place);
  const auto text = [&](const char* key) {
    const bool is_text = json.is_object() && json.contains(key) && json[key].is_string();
    if (is_text) return json[key].get<std::string>();
    throw DataError("{}: has no text \"{}\"; want what eval --json prints of a set of GLUE", place,
                    key);
  };
  row.add(place, text("dataset"), text("file"), [&](std::string_view name) {
    const auto found = json.find(std::string(name));
    if (found != json.end() && found->is_number()) return found->get<double>();
    throw DataError("{}: has no number \"{}\"", place, name);
  });
}

void add_run(const Arguments& arguments, World& world, const Path& run, DType dtype, Row& row) {
  const Path directory = find_model(run).directory;
  const DataSection data = job_around(run, directory).data;
  const GlueData* known = find_glue_data(data.dataset);
  if (known == nullptr || data.valid.empty()) {
    throw UsageError(
        "eval --table: {}: want a run whose data.dataset is a set of GLUE and that "
        "has data.valid",
        run.string());
  }
  std::vector<Path> files = {data.valid};
  for (const std::string& name : known->dev_files) {
    const Path beside = data.valid.parent_path() / name;
    if (beside.filename() == data.valid.filename()) continue;
    if (set_of(*known, beside) == set_of(*known, data.valid)) continue;
    if (std::filesystem::exists(beside)) files.push_back(beside);
  }
  for (const Path& file : files) {
    const TaskEvaluation task = evaluate_on(arguments, world, {run, directory, file}, dtype);
    if (!world.is_root()) continue;
    row.add(run.string(), task.dataset, file,
            [&](std::string_view name) { return task.result.score(name); });
  }
}

}  // namespace

ExitCode evaluate_table(const Arguments& arguments, World& world, DType dtype) {
  if (arguments.words.empty()) {
    throw UsageError(
        "eval --table: want runs on sets of GLUE, or what eval --json printed of them");
  }
  Row row;
  for (const std::string& word : arguments.words) {
    if (std::filesystem::is_directory(word)) {
      add_run(arguments, world, word, dtype, row);
    } else if (world.is_root()) {
      add_printed(word, row);
    }
  }
  if (!world.is_root()) return ExitCode::ok;
  const std::vector<std::string> missing = row.missing();
  if (arguments.flag("--json")) {
    nlohmann::json json = {{"tasks", nlohmann::json::object()}, {"missing", missing}};
    for (const GlueTask& task : glue_tasks()) {
      const std::vector<double> values = row.values(task);
      if (values.empty()) continue;
      nlohmann::json& one = json["tasks"][std::string(task.name)] = row.task_json(task);
      one["score"] = mean(values);
    }
    if (missing.empty()) json["average"] = row.average();
    fmt::print("{}\n", json.dump());
    return ExitCode::ok;
  }
  std::vector<std::string> names = {"average"}, cells = {"-"};
  if (missing.empty()) cells[0] = fmt::format("{:.4f}", row.average());
  for (const GlueTask& task : glue_tasks()) {
    const std::vector<double> values = row.values(task);
    names.emplace_back(task.name);
    cells.push_back(values.empty() ? "-" : fmt::format("{:.4f}", mean(values)));
  }
  Table table(names);
  table.add(cells);
  fmt::print("{}", table.str());
  if (!missing.empty()) fmt::print("no average without {}\n", fmt::join(missing, ", "));
  return ExitCode::ok;
}

}  // namespace ty
