#include "models/families/size_keys.h"

#include <nlohmann/json.hpp>

namespace ty {

namespace {

// Of several spellings the first counts. The public library takes the last of those it knows, so
// that two which differ mean nothing; n_ctx it does not read.
void read_size(const StoredSize& key, const JsonFields& json, ModelSpec& spec) {
  std::int64_t& size = spec.*key.size;
  const char* found = nullptr;
  for (const char* name : key.names) {
    if (name == nullptr || !json.has(name)) continue;
    const std::int64_t value = json.integer(name, key.range);
    if (found == nullptr) {
      found = name;
      size = value;
    } else if (value != size && std::string_view(name) != "n_ctx") {
      json.refuse(name, fmt::format("{} as {} says, or one of the two keys", size, found));
    }
  }
  if (found != nullptr) return;
  if (key.otherwise < 0) json.integer(key.names[0], key.range);  // says it is missing
  size = key.otherwise;
}

}  // namespace

void read_sizes(std::span<const StoredSize> keys, const JsonFields& json, ModelSpec& spec) {
  for (const StoredSize& key : keys) read_size(key, json, spec);
}

void write_sizes(std::span<const StoredSize> keys, const ModelSpec& spec, nlohmann::json& json) {
  for (const StoredSize& key : keys) {
    for (const char* name : key.names) {
      if (name != nullptr) json.erase(name);
    }
    const bool is_inner = key.size == &ModelSpec::inner;
    json[key.names[0]] = is_inner ? spec.inner_width() : spec.*key.size;
    if (is_inner && spec.inner == 0 && key.otherwise == 0) json[key.names[0]] = nullptr;
  }
}

const char* key_of(const Family& family, std::int64_t ModelSpec::*size) {
  for (const StoredSize& key : family.sizes) {
    if (key.size == size) return key.names[0];
  }
  return nullptr;
}

}  // namespace ty
