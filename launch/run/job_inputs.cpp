#include "launch/run/job_inputs.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/io/hash.h"
#include "launch/process/failure.h"
#include "launch/run/model_path.h"

namespace ty {

namespace {

using Json = nlohmann::json;

// What of a model or tokenizer directory is read.
bool is_read(const std::string& name) {
  constexpr const char* kTokenizerFiles[] = {"tokenizer.json", "vocab.json", "merges.txt",
                                             "vocab.txt"};
  return name == "config.json" || name.starts_with("model") ||
         std::find(std::begin(kTokenizerFiles), std::end(kTokenizerFiles), name) !=
             std::end(kTokenizerFiles);
}

std::string shown(const Json& input) {
  return fmt::format("{} (content {})", input.value("path", ""),
                     input.value("hash", "").substr(0, 8));
}

}  // namespace

std::string content_hash_of(const Path& path) {
  if (!std::filesystem::is_directory(path)) return content_hash(MappedFile(path).bytes());
  std::vector<Path> files;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    if (is_read(entry.path().filename().string())) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  ContentHash hash;
  for (const Path& file : files) {
    const std::string name = file.filename().string();
    hash.update(bytes_of(name));
    hash.update(MappedFile(file).bytes());
  }
  return hash.hex();
}

std::vector<JobInput> inputs_of(const JobConfig& job) {
  std::vector<JobInput> inputs;
  const auto add = [&](const char* key, const Path& path) {
    if (path.empty()) return;
    inputs.push_back({key, path, at_key(key, [&] { return content_hash_of(path); })});
  };
  if (!job.model.from.empty()) at_key("model.from", [&] { find_model(job.model.from); });
  add("model.from", job.model.from);
  add("tokenizer.from", job.tokenizer.from);
  add("data.train", job.data.train);
  add("data.valid", job.data.valid);
  return inputs;
}

Json to_json(const std::vector<JobInput>& inputs) {
  Json json = Json::object();
  for (const JobInput& input : inputs) {
    json[input.key] = {{"path", input.path.string()}, {"hash", input.hash}};
  }
  return json;
}

std::vector<JobChange> changes_between(const Json& before, const std::vector<JobInput>& after) {
  const Json now = to_json(after);
  std::vector<JobChange> changes;
  const auto add = [&](const std::string& key, const Json& was, const Json& is) {
    const bool appears = was.is_null() || is.is_null();
    changes.push_back({key, was.is_null() ? "none" : shown(was), is.is_null() ? "none" : shown(is),
                       !(appears && key == "data.valid")});
  };
  for (const auto& [key, input] : now.items()) {
    const Json was = before.value(key, Json());
    if (was.is_null() || was["hash"] != input["hash"]) add(key, was, input);
  }
  for (const auto& [key, input] : before.items()) {
    if (!now.contains(key)) add(key, input, Json());
  }
  return changes;
}

}  // namespace ty
