#include "core/data/json_value.h"

#include "core/base/error.h"
#include "core/io/json.h"

namespace ty {

namespace {

// "key" where that reads well, ["key"] where it does not.
std::string joined(const std::string& path, const std::string& key) {
  const bool is_word = key.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == key.npos;
  if (!is_word || key.empty()) return fmt::format("{}[{}]", path, in_quotes(key));
  return path.empty() ? key : path + "." + key;
}

}  // namespace

JsonValue JsonValue::at(const std::string& key) const {
  const auto found = object().find(key);
  if (found == json.end()) throw DataError("{}: {} is missing", file, joined(path, key));
  return {*found, file, joined(path, key)};
}

JsonValue JsonValue::at(std::size_t item) const {
  return {array().at(item), file, fmt::format("{}[{}]", path, item)};
}

bool JsonValue::flag() const {
  if (!json.is_boolean()) refuse("true or false");
  return json.get<bool>();
}

const std::string& JsonValue::string() const {
  if (!json.is_string()) refuse("a string");
  return json.get_ref<const std::string&>();
}

const nlohmann::json& JsonValue::object() const {
  if (!json.is_object()) refuse("an object");
  return json;
}

const nlohmann::json& JsonValue::array() const {
  if (!json.is_array()) refuse("an array");
  return json;
}

std::string JsonValue::shown() const {
  constexpr std::size_t kMost = 100;
  const std::string value = json.dump(-1, ' ', true);
  return fmt::format("{}: {}{}{}{}", file, path, path.empty() ? "" : ": ", value.substr(0, kMost),
                     value.size() > kMost ? "..." : "");
}

void JsonValue::refuse(std::string_view wanted) const {
  throw DataError("{}; want {}", shown(), wanted);
}

void JsonValue::refuse_as_unsupported(std::string_view wanted) const {
  throw DataError("{} is not supported; want {}", shown(), wanted);
}

}  // namespace ty
