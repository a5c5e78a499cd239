#include "core/config/rule.h"

#include <fmt/format.h>

namespace ty::config {

Rule& Rule::above(double limit) {
  minimum = limit;
  minimum_excluded = true;
  return *this;
}

Rule& Rule::at_least(double limit) {
  minimum = limit;
  minimum_excluded = false;
  return *this;
}

Rule& Rule::below(double limit) {
  maximum = limit;
  maximum_excluded = true;
  return *this;
}

Rule& Rule::at_most(double limit) {
  maximum = limit;
  maximum_excluded = false;
  return *this;
}

Rule& Rule::items(std::int64_t count) {
  number_of_items = count;
  return *this;
}

Rule& Rule::required() {
  is_required = true;
  return *this;
}

Rule& Rule::percent() {
  is_share = true;
  return *this;
}

bool Rule::allows(double value) const {
  if (minimum && (minimum_excluded ? value <= *minimum : value < *minimum)) return false;
  if (maximum && (maximum_excluded ? value >= *maximum : value > *maximum)) return false;
  return true;
}

std::string Rule::limits() const {
  std::string out;
  if (minimum) out += fmt::format(" {} {}", minimum_excluded ? ">" : ">=", *minimum);
  if (minimum && maximum) out += " and";
  if (maximum) out += fmt::format(" {} {}", maximum_excluded ? "<" : "<=", *maximum);
  return out;
}

Rule positive() { return Rule{}.above(0); }
Rule at_least(double limit) { return Rule{}.at_least(limit); }
Rule between(double low, double high) { return Rule{}.at_least(low).at_most(high); }
Rule items(std::int64_t count) { return Rule{}.items(count); }
Rule required() { return Rule{}.required(); }

Rule one_of(std::initializer_list<std::string_view> choices) {
  Rule rule;
  for (const std::string_view choice : choices) rule.choices.emplace_back(choice);
  return rule;
}

}  // namespace ty::config
