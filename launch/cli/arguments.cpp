#include "launch/cli/arguments.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/config/diagnostics.h"
#include "core/config/scalar.h"

namespace ty {

namespace {

config::Scalar parse_one(const OptionSpec& spec, std::string_view text) {
  config::Node node;
  node.kind = config::Node::Kind::scalar;
  node.text = text;
  const config::Parsed parsed = config::parse_scalar(node, spec.type.kind, spec.rule);
  if (parsed.value && config::within(*parsed.value, spec.rule)) return *parsed.value;
  throw UsageError("{}: got {}; want {}{}", spec.key(), config::shown(text, text.empty()),
                   spec.type.wanted(spec.rule), parsed.hint);
}

}  // namespace

std::vector<config::Scalar> parse_option(const OptionSpec& spec, std::string_view text) {
  if (!spec.type.is_list) return {parse_one(spec, text)};
  std::vector<config::Scalar> values;
  for (std::size_t comma = 0; comma != std::string_view::npos;) {
    comma = text.find(',');
    values.push_back(parse_one(spec, text.substr(0, comma)));
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return values;
}

namespace {

template <typename T>
std::vector<T> values_of(const Arguments& arguments, const std::string& name) {
  std::vector<T> values;
  const auto found = arguments.options.find(name);
  if (found == arguments.options.end()) return values;
  for (const config::Scalar& value : found->second) values.push_back(std::get<T>(value));
  return values;
}

template <typename T>
T value_of(const Arguments& arguments, const std::string& name, T otherwise) {
  const std::vector<T> values = values_of<T>(arguments, name);
  return values.empty() ? otherwise : values.front();
}

}  // namespace

std::string Arguments::text(const std::string& name, const std::string& otherwise) const {
  return value_of(*this, name, otherwise);
}

std::int64_t Arguments::integer(const std::string& name, std::int64_t otherwise) const {
  return value_of(*this, name, otherwise);
}

double Arguments::number(const std::string& name, double otherwise) const {
  return value_of(*this, name, otherwise);
}

std::vector<std::string> Arguments::list(const std::string& name) const {
  return values_of<std::string>(*this, name);
}

std::vector<std::int64_t> Arguments::integers(const std::string& name) const {
  return values_of<std::int64_t>(*this, name);
}

const std::string& Arguments::word(std::size_t i, std::string_view what) const {
  if (i >= words.size()) {
    throw UsageError("{}: {} is missing; see trainyard {} --help", argv[1], what, argv[1]);
  }
  return words[i];
}

}  // namespace ty
