#include "models/families/activation_names.h"

#include <array>
#include <utility>
#include <vector>

#include "core/base/error.h"

namespace ty {

namespace {

constexpr std::string_view kFactorisedMark = "trainyard:";

// The first name of an op is the one that we write.
constexpr std::array<std::pair<std::string_view, UnaryOp>, 12> kActivations = {{
    {"gelu_new", UnaryOp::gelu_tanh},
    {"gelu_pytorch_tanh", UnaryOp::gelu_tanh},
    {"gelu_python_tanh", UnaryOp::gelu_tanh},
    {"gelu_accurate", UnaryOp::gelu_tanh},
    {"gelu_fast", UnaryOp::gelu_tanh},
    {"gelu", UnaryOp::gelu_erf},
    {"gelu_python", UnaryOp::gelu_erf},
    {"relu", UnaryOp::relu},
    {"silu", UnaryOp::silu},
    {"swish", UnaryOp::silu},
    {"quick_gelu", UnaryOp::quick_gelu},
    {"tanh", UnaryOp::tanh},
}};

}  // namespace

std::optional<UnaryOp> activation_named(std::string_view name) {
  for (const auto& [known, op] : kActivations) {
    if (known == name) return op;
  }
  return std::nullopt;
}

std::string_view public_name(UnaryOp op) {
  for (const auto& [name, known] : kActivations) {
    if (known == op) return name;
  }
  throw InternalError("an activation has no public name");
}

std::string marked_activation(std::string_view activation) {
  return std::string(kFactorisedMark) + std::string(activation);
}

std::string_view without_mark(std::string_view activation) {
  const bool is_marked = activation.starts_with(kFactorisedMark);
  return activation.substr(is_marked ? kFactorisedMark.size() : 0);
}

UnaryOp read_activation(const JsonFields& json, const char* key) {
  if (const auto op = activation_named(without_mark(json.text(key)))) return *op;
  std::vector<std::string_view> names;
  for (const auto& [name, op] : kActivations) names.push_back(name);
  json.refuse(key, fmt::format("one of {}", fmt::join(names, ", ")));
}

}  // namespace ty
