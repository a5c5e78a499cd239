#include "core/config/leaf.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "core/config/diagnostics.h"

namespace ty::config {
namespace {

const char* kind_word(ScalarKind kind, bool plural) {
  switch (kind) {
    case ScalarKind::boolean:
      return plural ? "flags" : "true or false";
    case ScalarKind::integer:
      return plural ? "integers" : "an integer";
    case ScalarKind::number:
      return plural ? "numbers" : "a number";
    case ScalarKind::string:
      return plural ? "strings" : "a string";
    case ScalarKind::path:
      return plural ? "paths" : "a path";
  }
  return "?";
}

// Whether YAML reads the text back as the same plain string, in every style of use.
bool is_plain(std::string_view text) {
  static constexpr std::string_view kReserved[] = {"null", "true", "false", "yes",
                                                   "no",   "on",   "off"};
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto is_safe = [](unsigned char c) {
    return c < 0x80 && (std::isalnum(c) || c == '_' || c == '-' || c == '.' || c == '/');
  };
  return !text.empty() &&
         (std::isalpha(static_cast<unsigned char>(text[0])) || text[0] == '/' || text[0] == '_') &&
         std::all_of(text.begin(), text.end(), is_safe) &&
         std::find(std::begin(kReserved), std::end(kReserved), lower) == std::end(kReserved);
}

std::string spelled(const Scalar& scalar) {
  if (const bool* flag = std::get_if<bool>(&scalar)) return *flag ? "true" : "false";
  if (const auto* integer = std::get_if<std::int64_t>(&scalar)) return fmt::format("{}", *integer);
  if (const double* number = std::get_if<double>(&scalar)) {
    std::string text = fmt::format("{}", *number);  // the shortest that reads back the same
    // 1 and 1e-08 are numbers to us, but an integer and a string to some readers of YAML.
    if (text.find('.') == std::string::npos)
      text.insert(std::min(text.find('e'), text.size()), ".0");
    return text;
  }
  const auto& text = std::get<std::string>(scalar);
  return is_plain(text) ? text : in_quotes(text);
}

}  // namespace

std::string LeafType::wanted(const Rule& rule) const {
  std::string out;
  std::vector<std::string> choices;
  for (const std::string& choice : rule.choices) {
    choices.push_back(choice.empty() ? in_quotes(choice) : choice);
  }
  const std::string any = joined(choices);
  if (is_list) {
    out = "a list of ";
    if (rule.number_of_items) out += fmt::format("{} ", *rule.number_of_items);
    out += kind_word(kind, true);
    if (!any.empty()) out += " out of " + any;
  } else if (rule.choices.size() == 1) {
    out = any;
  } else {
    out = any.empty() ? kind_word(kind, false) : "one of " + any;
    if (kind == ScalarKind::path && !any.empty()) out += ", or a path with a dot or slash";
  }
  out += rule.limits();
  if (rule.is_share) out += ", or a percentage as 30%";
  if (*empty_word) out += fmt::format(", or {}", empty_word);
  return out;
}

std::string spelled(const Leaf& leaf) {
  const std::vector<Scalar> values = leaf.get();
  if (!leaf.type.is_list) return values.empty() ? leaf.type.empty_word : spelled(values[0]);
  std::vector<std::string> items;
  for (const Scalar& value : values) items.push_back(spelled(value));
  return fmt::format("[{}]", joined(items));
}

Leaf make_leaf(std::filesystem::path& member) {
  return {{ScalarKind::path, false, "null"},
          [&member] {
            return member.empty() ? std::vector<Scalar>{} : std::vector<Scalar>{member.string()};
          },
          [&member](const std::vector<Scalar>& v) {
            member = v.empty() ? std::string() : std::get<std::string>(v[0]);
          }};
}

Leaf make_leaf(IntOrAuto& member) {
  Leaf leaf = make_leaf(member.value);
  leaf.type.empty_word = "auto";
  return leaf;
}

}  // namespace ty::config
