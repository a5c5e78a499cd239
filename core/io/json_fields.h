// The keys of one JSON object of a file, read strictly: a value of another type, or outside of its
// range, is a DataError "PLACE: KEY: value; want ..", never a rounded or wrapped number.
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
  // `place` opens messages, and `between` stands between it and a key: "m/config.json" and ": ".
  // The object must outlive this. Throws DataError if it is no object.
  JsonFields(const nlohmann::json& object, std::string place, std::string_view between = ": ");

  // Whether a key is there and not null.
  bool has(const char* key) const;
  // Each throws DataError for a missing key and for a value of another kind.
  std::int64_t integer(const char* key, IntegerRange range) const;
  std::vector<std::int64_t> integers(const char* key, IntegerRange range) const;
  double number(const char* key, double least, double most) const;
  bool flag(const char* key) const;
  std::string text(const char* key) const;
  // Throws DataError that lists the keys if there is another one.
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
  std::string prefix_;  // place and what stands before a key
};

}  // namespace ty
