#include "core/config/scalar.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/base/suggest.h"

namespace ty::config {
namespace {

template <class T>
std::optional<T> number_from(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// A number, but too large or too small for T.
template <class T>
bool is_beyond(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc::result_out_of_range && end == text.data() + text.size();
}

bool has_leading_zero(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9';
}

bool looks_like_a_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text[0] >= '0' && text[0] <= '9' &&
         text.find_first_not_of("0123456789.eE+-") == std::string_view::npos;
}

std::string suggestion(std::string_view word) { return fmt::format(" (did you mean {}?)", word); }

Parsed parse_boolean(std::string_view text) {
  if (text == "true" || text == "false") return {text == "true", ""};
  for (const char* word : {"yes", "Yes", "YES", "on", "On", "ON", "True", "TRUE", "1"}) {
    if (text == word) return {std::nullopt, suggestion("true")};
  }
  for (const char* word : {"no", "No", "NO", "off", "Off", "OFF", "False", "FALSE", "0"}) {
    if (text == word) return {std::nullopt, suggestion("false")};
  }
  return {};
}

Parsed parse_integer(std::string_view text) {
  if (has_leading_zero(text)) return {std::nullopt, ", without leading zeros"};
  if (looks_like_a_number(text)) {
    if (const auto value = number_from<std::int64_t>(text)) return {*value, ""};
    if (is_beyond<std::int64_t>(text)) return {std::nullopt, " that fits into 64 bits"};
  }
  // 1e3, 2.0, 1_000 and 1,000 have an obvious integer.
  std::string digits(text);
  std::erase_if(digits, [](char c) { return c == '_' || c == ','; });
  const auto value = looks_like_a_number(digits) ? number_from<double>(digits) : std::nullopt;
  if (value && *value == std::floor(*value) && std::abs(*value) < 1e15) {
    return {std::nullopt, suggestion(fmt::format("{}", static_cast<std::int64_t>(*value)))};
  }
  return {};
}

Parsed parse_number(std::string_view text) {
  if (has_leading_zero(text)) return {std::nullopt, ", without leading zeros"};
  if (!looks_like_a_number(text)) return {};
  if (const auto value = number_from<double>(text)) return {*value, ""};
  return {std::nullopt, is_beyond<double>(text) ? " that a double can hold" : ""};
}

// 0.3, or 30% for the same.
Parsed parse_share(std::string_view text) {
  if (!text.ends_with('%')) return parse_number(text);
  text.remove_suffix(1);
  Parsed percent = parse_number(text);
  if (percent.value) percent.value = std::get<double>(*percent.value) / 100;
  return percent;
}

// One of the choices, if the rule has any, or a path.
Parsed parse_path(const Node& node, const Rule& rule) {
  if (node.text.empty()) return {};
  const auto& names = rule.choices;
  if (std::find(names.begin(), names.end(), node.text) != names.end()) return {node.text, ""};
  if (!names.empty() && node.text.find_first_of("./") == std::string::npos) {
    return {std::nullopt, did_you_mean(node.text, names)};
  }
  std::filesystem::path path = node.text;
  if (path.is_relative() && node.place.source) path = node.place.source->directory / path;
  path = path.lexically_normal();
  if (!path.has_filename()) path = path.parent_path();  // no trailing slash
  return {path.string(), ""};
}

}  // namespace

Parsed parse_scalar(const Node& node, ScalarKind kind, const Rule& rule) {
  const bool is_text = kind == ScalarKind::string || kind == ScalarKind::path;
  if (node.quoted && !is_text) return {std::nullopt, ", without quotes"};
  switch (kind) {
    case ScalarKind::boolean:
      return parse_boolean(node.text);
    case ScalarKind::integer:
      return parse_integer(node.text);
    case ScalarKind::number:
      return rule.is_share ? parse_share(node.text) : parse_number(node.text);
    case ScalarKind::path:
      return parse_path(node, rule);
    case ScalarKind::string:
      break;
  }
  const auto& any = rule.choices;
  if (any.empty() || std::find(any.begin(), any.end(), node.text) != any.end()) {
    return {node.text, ""};
  }
  return {std::nullopt, did_you_mean(node.text, any)};
}

bool within(const Scalar& scalar, const Rule& rule) {
  if (const auto* i = std::get_if<std::int64_t>(&scalar)) {
    return rule.allows(static_cast<double>(*i));
  }
  if (const auto* d = std::get_if<double>(&scalar)) return rule.allows(*d);
  return true;
}

}  // namespace ty::config
