// A value of a JSON file together with its location, for readers whose messages name file and key.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace ty {

struct JsonValue {
  const nlohmann::json& json;
  std::string file;
  std::string path;  // "model.vocab"; empty: all of the file

  // Throw DataError if there is no such key or item.
  JsonValue at(const std::string& key) const;
  JsonValue at(std::size_t item) const;
  // Throws DataError unless this is a string.
  const std::string& string() const;
  // Throws DataError unless this is true or false.
  bool flag() const;
  // Throw DataError unless this is an object or an array.
  const nlohmann::json& object() const;
  const nlohmann::json& array() const;
  // Throw DataError "FILE: PATH: VALUE; want WANTED", "FILE: PATH: VALUE is not supported; ...".
  [[noreturn]] void refuse(std::string_view wanted) const;
  [[noreturn]] void refuse_as_unsupported(std::string_view wanted) const;

 private:
  std::string shown() const;
};

}  // namespace ty
