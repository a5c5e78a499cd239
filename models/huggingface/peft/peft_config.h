// adapter_config.json of a directory of adapters, as the public `peft` library reads and writes it.
//
// What its tensors say need not be said twice: which modules are adapted, and which are stored
// whole. Every key that changes numbers is supported or refused by name.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "core/io/file.h"

namespace ty {

inline constexpr const char* kPeftConfigName = "adapter_config.json";
inline constexpr const char* kPeftTensorsName = "adapter_model.safetensors";

struct PeftConfig {
  std::string place;  // the file, for messages
  std::string base;   // base_model_name_or_path; "": null
  std::int64_t rank = 8;
  double alpha = 8;
  double dropout = 0;
  bool rslora = false;
  bool dora = false;
  // Of single modules, by their names or the ends of their names.
  std::map<std::string, std::int64_t> ranks = {};
  std::map<std::string, double> alphas = {};

  // Of a module with its whole name, "bert.encoder.layer.0.attention.self.query". Throws DataError
  // if two patterns say different things of it.
  std::int64_t rank_of(const std::string& module) const;
  // s, with which the product of its two matrices is added.
  double scale_of(const std::string& module) const;
};

// Whether a directory holds adapters of that library.
bool is_peft_directory(const Path& directory);

// Throws DataError that names file and key.
PeftConfig read_peft_config(const Path& directory);
PeftConfig peft_config_from_json(const nlohmann::json& document, const std::string& file);

}  // namespace ty
