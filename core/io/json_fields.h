// Strict access to the keys of one JSON object of a file: a value of the wrong type or out of range
// is a DataError "PLACE: KEY: value; want ..", never a rounded or wrapped number.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "core/io/json.h"

namespace ty {

struct IntegerRange {
  std::int64_t least = 0, most = 0;
};

class JsonFields {
 public:
  // Messages begin with `place`, followed by `between` and the key: "m/config.json" and ": ". The
  // object must outlive this. Throws DataError if it is not a JSON object.
  JsonFields(const nlohmann::json& object, std::string place, std::string_view between = ": ");

  // Whether a key is present and not null.
  bool has(const char* key) const;
  // Whether a key's value is a list.
  bool is_list(const char* key) const;
  // Each throws DataError if the key is missing or its value has the wrong type.
  std::int64_t integer(const char* key, IntegerRange range) const;
  std::vector<std::int64_t> integers(const char* key, IntegerRange range) const;
  double number(const char* key, double least, double most) const;
  bool flag(const char* key) const;
  std::string text(const char* key) const;
  // Throws DataError that lists the allowed keys if there is any other.
  void allow_only(std::initializer_list<std::string_view> keys) const;
  // Throws the DataError for a key's value, which is shown in at most 60 printable characters.
  [[noreturn]] void refuse(const char* key, std::string_view want) const;

  const std::string& place() const { return place_; }

 private:
  const nlohmann::json& at(const char* key) const;
  [[noreturn]] void refuse(const char* key, const nlohmann::json& value,
                           std::string_view want) const;

  const nlohmann::json& object_;
  std::string place_;
  std::string prefix_;  // `place` and `between`
};

}  // namespace ty
