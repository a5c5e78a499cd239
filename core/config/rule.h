// The values that a key may take: one short, printable description from which values are checked,
// documented and described in JSON Schema.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ty::config {

// Limits on a value, or on each item of a list. Built by one of the functions below, and may be
// chained: at_least(0).below(1).items(2).
struct Rule {
  std::optional<double> minimum, maximum;
  bool minimum_excluded = false, maximum_excluded = false;
  std::vector<std::string> choices;             // of a string; empty: any
  std::optional<std::int64_t> number_of_items;  // of a list
  bool is_required = false;                     // there is no default
  bool is_share = false;                        // of a number: may be written 30% instead of 0.3

  Rule& above(double limit);
  Rule& at_least(double limit);
  Rule& below(double limit);
  Rule& at_most(double limit);
  Rule& items(std::int64_t count);
  Rule& required();
  Rule& percent();

  // Whether a number lies within the limits.
  bool allows(double value) const;
  // " >= 0 and < 1", or "" without limits.
  std::string limits() const;
};

Rule positive();
Rule at_least(double limit);
Rule between(double low, double high);  // both included
Rule one_of(std::initializer_list<std::string_view> choices);
Rule items(std::int64_t count);
Rule required();

}  // namespace ty::config
