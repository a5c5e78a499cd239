// A config struct as text: resolved YAML, and the origin of each value.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/config/fields.h"

namespace ty::config {

// Every key in the order of the field lists, as a file that loads to the same values from any
// directory.
std::string print_yaml(const Section& section);
// Every active key, dotted, with its value as YAML spells it, in the order of the field lists.
std::vector<std::pair<std::string, std::string>> flat_values(const Section& section);
// One line per key: `optim.lr = 0.001`, then where it was stated, in aligned columns.
std::string print_origins(const Section& section, const Origins& origins);

template <class T>
std::string to_yaml(T value) {
  return print_yaml(make_section(value));
}

template <class T>
std::vector<std::pair<std::string, std::string>> values_of(T value) {
  return flat_values(make_section(value));
}

template <class T>
std::string to_origins(T value, const Origins& origins) {
  return print_origins(make_section(value), origins);
}

}  // namespace ty::config
