#include "launch/verbs/peft.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/io/checkpoint.h"
#include "core/io/json.h"
#include "launch/process/output.h"
#include "launch/report/text.h"
#include "launch/run/model_path.h"
#include "launch/verbs/task_file.h"
#include "models/huggingface/peft/peft_config.h"
#include "models/huggingface/peft/peft_reader.h"
#include "models/huggingface/peft/peft_writer.h"
#include "models/linear/kinds.h"
#include "models/linear/lora/lora.h"
#include "models/transformer/freezing.h"

namespace ty {

const OptionSpec kAdaptersOption = {
    "--adapters", "", "its adapters alone, as the public peft library reads and writes them"};
const OptionSpec kAdaptersBaseOption = {
    "--base", "NAME",
    "with --adapters: the model beside which they stand, as their file names it; default: the "
    "run's model.from"};
const OptionSpec kImportBaseOption = {
    "--base", "MODEL",
    "where DIR holds adapters of the peft library: the model for which they are; default: the one "
    "that they name, if it is a directory here"};

namespace {

// What differs from the base: what the checkpoint says, or what adapters mean where it says
// nothing.
std::set<std::string> trained_in(const StoredModel& model) {
  std::set<std::string> trained;
  std::vector<std::string> frozen;
  const bool is_checkpoint = std::filesystem::exists(model.directory() / kManifestName);
  if (is_checkpoint) {
    frozen = read_manifest(copied_checkpoint(model.directory()))
                 .fields.value("frozen", std::vector<std::string>());
    std::sort(frozen.begin(), frozen.end());
  }
  const TrainedParameters usual({}, model.parameters());
  for (const Parameter& parameter : model.parameters().all()) {
    const bool is_trained = is_checkpoint
                                ? !std::binary_search(frozen.begin(), frozen.end(), parameter.name)
                                : usual.contains(parameter.name);
    if (is_trained) trained.insert(parameter.name);
  }
  return trained;
}

bool any_site(const StoredModel& model, bool (*is_so)(const LinearSpec&, const LoraSpec*)) {
  const auto& sites = model.linear_sites();
  return std::any_of(sites.begin(), sites.end(), [&](const LinearSite& site) {
    return is_so(site.spec, site.spec.as<LoraSpec>());
  });
}

bool started_with_pissa(const LinearSpec&, const LoraSpec* lora) {
  return lora != nullptr && lora->options.init == LoraInit::pissa;
}
bool has_factorised_base(const LinearSpec& spec, const LoraSpec* lora) {
  return !is_dense(lora != nullptr ? lora->of : spec);
}

void report(const Arguments& arguments, const Path& target, std::uint64_t bytes) {
  const TensorSet tensors = open_tensors(target / kPeftTensorsName);
  std::int64_t numbers = 0, adapted = 0;
  for (const std::string& name : tensors.names()) {
    numbers += tensors.tensor(name).shape.numel();
    adapted += name.ends_with(".lora_A.weight") ? 1 : 0;
  }
  if (arguments.flag("--json")) {
    fmt::print("{}\n", nlohmann::json{{"directory", target.string()},
                                      {"parameters", numbers},
                                      {"adapted_modules", adapted},
                                      {"bytes", bytes}}
                           .dump());
    return;
  }
  fmt::print("{}  parameters {}  {} adapted modules  {}\n", target.string(),
             count_with_digits(numbers), adapted, human_bytes(static_cast<double>(bytes)));
}

// The base that adapters name, here or beside them.
Path base_of(const Arguments& arguments, const Path& adapters) {
  if (arguments.flag("--base")) return arguments.text("--base", "");
  const PeftConfig config = read_peft_config(adapters);
  for (const Path& path : {Path(config.base), adapters / config.base}) {
    if (!config.base.empty() && std::filesystem::is_directory(path)) return path;
  }
  throw DataError("{}: base_model_name_or_path: {} is no directory here; name the model: --base",
                  config.place, in_quotes(config.base));
}

}  // namespace

void export_adapters(const Arguments& arguments, const StoredModel& source, const Path& target) {
  const Path named = arguments.words.front();
  const std::string of_run = job_around(named, source.directory()).model.from.string();
  PeftOptions options = {.base_name = arguments.text("--base", of_run),
                         .trained = trained_in(source)};
  std::unique_ptr<StoredModel> original;
  if (any_site(source, started_with_pissa) && std::filesystem::is_directory(options.base_name)) {
    original = std::make_unique<StoredModel>(find_model(options.base_name).directory);
    options.original = original.get();
  }
  const std::uint64_t bytes = write_peft(source, options, target);
  if (any_site(source, has_factorised_base)) {
    remark(
        "note: the base has factorised layers: the library reads these adapters beside what "
        "trainyard export BASE DIR --dense writes");
  }
  report(arguments, target, bytes);
}

bool imports_adapters(const Arguments& arguments) {
  if (arguments.words.empty() || !is_peft_directory(arguments.words.front())) return false;
  return arguments.flag("--base") ||
         !std::filesystem::exists(Path(arguments.words.front()) / "config.json");
}

std::uint64_t import_adapters(const Arguments& arguments, const Path& target) {
  const Path adapters = arguments.words.front();
  const StoredModel base(find_model(base_of(arguments, adapters)).directory);
  return write_converted(base, with_peft_adapters(base, adapters), target);
}

}  // namespace ty
