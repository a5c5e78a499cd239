// What a job file may contain, generated from the field lists: a JSON Schema for editors and a key
// reference for people.
#pragma once

#include <string>

#include "core/config/fields.h"

namespace ty::config {

// JSON Schema (draft 2020-12) of a whole file, with descriptions, limits and defaults, indented by
// two spaces. Conditional keys are always allowed by it: only the reader checks conditions.
std::string json_schema(const Section& defaults, const std::string& title);
// A Markdown table: key, what is allowed, default, meaning.
std::string key_reference(const Section& defaults);

template <class T>
std::string json_schema(const std::string& title) {
  T defaults{};
  return json_schema(make_section(defaults), title);
}

template <class T>
std::string key_reference() {
  T defaults{};
  return key_reference(make_section(defaults));
}

}  // namespace ty::config
