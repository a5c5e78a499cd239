#include "core/io/json_fields.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/base/error.h"

namespace ty {

namespace {

using Json = nlohmann::json;

std::string shown(const Json& value) {
  constexpr std::size_t kMost = 60;
  const std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  return text.size() <= kMost ? text : text.substr(0, kMost) + "..";
}

bool is_within(const Json& value, IntegerRange range) {
  if (!value.is_number_integer()) return false;
  if (value.is_number_unsigned() &&
      value.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
    return false;
  }
  const auto number = value.get<std::int64_t>();
  return range.least <= number && number <= range.most;
}

std::string text_of(IntegerRange range) { return fmt::format("{} to {}", range.least, range.most); }

}  // namespace

JsonFields::JsonFields(const Json& object, std::string place, std::string_view between)
    : object_(object), place_(std::move(place)), prefix_(place_ + std::string(between)) {
  if (!object.is_object()) throw DataError("{}: {}; want an object", place_, shown(object));
}

bool JsonFields::has(const char* key) const {
  const auto found = object_.find(key);
  return found != object_.end() && !found->is_null();
}

bool JsonFields::is_list(const char* key) const { return has(key) && at(key).is_array(); }

std::int64_t JsonFields::integer(const char* key, IntegerRange range) const {
  const Json& value = at(key);
  if (!is_within(value, range)) refuse(key, value, "an integer from " + text_of(range));
  return value.get<std::int64_t>();
}

std::vector<std::int64_t> JsonFields::integers(const char* key, IntegerRange range) const {
  const Json& list = at(key);
  const bool good = list.is_array() && std::all_of(list.begin(), list.end(), [&](const Json& each) {
                      return is_within(each, range);
                    });
  if (!good) refuse(key, list, "a list of integers from " + text_of(range));
  return list.get<std::vector<std::int64_t>>();
}

double JsonFields::number(const char* key, double least, double most) const {
  const Json& value = at(key);
  const double number = value.is_number() ? value.get<double>() : least - 1;
  if (!(least <= number && number <= most)) {
    refuse(key, value, fmt::format("a number from {} to {}", least, most));
  }
  return number;
}

bool JsonFields::flag(const char* key) const {
  const Json& value = at(key);
  if (!value.is_boolean()) refuse(key, value, "true or false");
  return value.get<bool>();
}

std::string JsonFields::text(const char* key) const {
  const Json& value = at(key);
  if (!value.is_string()) refuse(key, value, "a name");
  return value.get<std::string>();
}

void JsonFields::allow_only(std::initializer_list<std::string_view> keys) const {
  for (const auto& [key, value] : object_.items()) {
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
    throw DataError("{}{}: unknown key; expected {}", prefix_, in_quotes(key),
                    fmt::join(keys, ", "));
  }
}

void JsonFields::refuse(const char* key, std::string_view want) const {
  refuse(key, at(key), want);
}

const Json& JsonFields::at(const char* key) const {
  const auto found = object_.find(key);
  if (found == object_.end()) throw DataError("{}{}: missing", prefix_, key);
  return *found;
}

void JsonFields::refuse(const char* key, const Json& value, std::string_view want) const {
  throw DataError("{}{}: {}; want {}", prefix_, key, shown(value), want);
}

}  // namespace ty
