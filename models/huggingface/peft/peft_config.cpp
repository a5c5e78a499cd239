#include "models/huggingface/peft/peft_config.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "core/base/error.h"
#include "core/io/json_fields.h"

namespace ty {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxConfigBytes = std::size_t{1} << 20;
constexpr IntegerRange kRanks = {1, 1 << 24};
constexpr double kMostAlpha = 1e9;

// Read here, or without effect on what the tensors mean.
constexpr std::array kKnown = {"peft_type",
                               "base_model_name_or_path",
                               "r",
                               "lora_alpha",
                               "lora_dropout",
                               "use_rslora",
                               "use_dora",
                               "rank_pattern",
                               "alpha_pattern",
                               "init_lora_weights",
                               "alora_invocation_tokens",
                               "auto_mapping",
                               "bias",
                               "ensure_weight_tying",
                               "eva_config",
                               "exclude_modules",
                               "fan_in_fan_out",
                               "inference_mode",
                               "layers_pattern",
                               "layers_to_transform",
                               "megatron_core",
                               "modules_to_save",
                               "peft_version",
                               "qalora_group_size",
                               "revision",
                               "runtime_config",
                               "target_modules",
                               "task_type"};

// Starts that change the base, which the library repeats when it reads the directory.
constexpr std::array<std::string_view, 3> kInits = {"gaussian", "eva", "orthogonal"};

bool says_nothing(const Json& value) {
  return value.is_null() || value == false || value == "" ||
         (value.is_structured() && value.empty());
}

void check_init(const JsonFields& json, const Json& document) {
  const Json init = document.value("init_lora_weights", Json(true));
  const bool is_harmless = init.is_boolean() || init.is_null() ||
                           (init.is_string() && std::find(kInits.begin(), kInits.end(),
                                                          init.get<std::string>()) != kInits.end());
  if (!is_harmless) {
    json.refuse(
        "init_lora_weights",
        "true, false, \"gaussian\", \"orthogonal\" or \"eva\": others change the base; save "
        "with path_initial_model_for_weight_conversion");
  }
}

void check_keys(const JsonFields& json, const Json& document) {
  if (json.has("alora_invocation_tokens")) json.refuse("alora_invocation_tokens", "null");
  if (json.has("ensure_weight_tying") && json.flag("ensure_weight_tying")) {
    json.refuse("ensure_weight_tying", "false");
  }
  for (const auto& [key, value] : document.items()) {
    const bool is_known = std::find(kKnown.begin(), kKnown.end(), key) != kKnown.end();
    if (is_known || says_nothing(value)) continue;
    throw DataError("{}: {}: is not supported; want it absent, null or false", json.place(),
                    in_quotes(key));
  }
}

// A module's name, or the end of one; the library takes regular expressions, too.
void check_pattern(const std::string& place, const char* key, const std::string& pattern) {
  const std::string_view name =
      pattern.starts_with('^') ? std::string_view(pattern).substr(1) : std::string_view(pattern);
  const bool is_plain = !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '.' || c == '_' || c == '-';
  });
  if (is_plain) return;
  throw DataError("{}: {}: {} is no module's name, nor the end of one", place, key,
                  in_quotes(pattern));
}

bool matches(const std::string& pattern, const std::string& module) {
  if (pattern.starts_with('^')) return module == pattern.substr(1);
  return module == pattern || module.ends_with("." + pattern);
}

// What the patterns say of a module.
template <typename T>
std::optional<T> found_for(const std::map<std::string, T>& patterns, const std::string& module,
                           const std::string& place, const char* key) {
  std::optional<T> found;
  for (const auto& [pattern, value] : patterns) {
    if (!matches(pattern, module)) continue;
    if (found && *found != value) {
      throw DataError("{}: {}: says {} and {} of {}; want one pattern for it", place, key, *found,
                      value, module);
    }
    found = value;
  }
  return found;
}

double number_or(const JsonFields& json, const char* key, double otherwise, double most) {
  return json.has(key) ? json.number(key, 0, most) : otherwise;
}

bool flag_or(const JsonFields& json, const char* key) { return json.has(key) && json.flag(key); }

}  // namespace

std::int64_t PeftConfig::rank_of(const std::string& module) const {
  return found_for(ranks, module, place, "rank_pattern").value_or(rank);
}

double PeftConfig::scale_of(const std::string& module) const {
  const double own = found_for(alphas, module, place, "alpha_pattern").value_or(alpha);
  const auto r = static_cast<double>(rank_of(module));
  return own / (rslora ? std::sqrt(r) : r);
}

bool is_peft_directory(const Path& directory) {
  return std::filesystem::exists(directory / kPeftConfigName);
}

PeftConfig read_peft_config(const Path& directory) {
  const Path file = directory / kPeftConfigName;
  return peft_config_from_json(parse_json(read_text_file(file, kMaxConfigBytes), file.string()),
                               file.string());
}

PeftConfig peft_config_from_json(const Json& document, const std::string& file) {
  const JsonFields json(document, file);
  if (json.text("peft_type") != "LORA") json.refuse("peft_type", "\"LORA\"");
  check_keys(json, document);
  check_init(json, document);
  PeftConfig config;
  config.place = file;
  if (json.has("base_model_name_or_path")) config.base = json.text("base_model_name_or_path");
  if (json.has("r")) config.rank = json.integer("r", kRanks);
  config.alpha = number_or(json, "lora_alpha", config.alpha, kMostAlpha);
  config.dropout = number_or(json, "lora_dropout", 0, 1);
  config.rslora = flag_or(json, "use_rslora");
  config.dora = flag_or(json, "use_dora");
  const auto patterns = [&](const char* key, auto read) {
    if (!json.has(key)) return;
    const JsonFields values(document.at(key), fmt::format("{}: {}", file, key));
    for (const auto& [pattern, value] : document.at(key).items()) {
      check_pattern(file, key, pattern);
      read(values, pattern);
    }
  };
  patterns("rank_pattern", [&](const JsonFields& values, const std::string& pattern) {
    config.ranks[pattern] = values.integer(pattern.c_str(), kRanks);
  });
  patterns("alpha_pattern", [&](const JsonFields& values, const std::string& pattern) {
    config.alphas[pattern] = values.number(pattern.c_str(), 0, kMostAlpha);
  });
  return config;
}

}  // namespace ty
