#include "models/linear/ttm/ttm_plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace ty {

namespace {

std::string text(const ChainPass& pass) {
  std::string out = fmt::format("chain {{{}}} from {}", fmt::join(pass.groups, ", "),
                                pass.order == ChainOrder::from_left ? "left" : "right");
  if (pass.wide > 0) out += fmt::format(", {} columns", pass.wide);
  if (pass.tokens > 0) out += fmt::format(", {} tokens at a time", pass.tokens);
  return out;
}

std::string text(const DensePass& pass) {
  return fmt::format("dense, split {}, {} panel{}", pass.split, pass.panels,
                     pass.panels == 1 ? "" : "s");
}

}  // namespace

TtmLayer transposed(const TtmLayer& layer) {
  return {transposed(layer.shape), layer.out, layer.in};
}

std::string to_string(const TtmPass& pass) {
  return std::visit([](const auto& each) { return text(each); }, pass);
}

std::string to_string(const BackwardPass& pass) {
  if (!pass.input) return to_string(pass.cores);
  return fmt::format("dx by {}; cores by {}", to_string(*pass.input), to_string(pass.cores));
}

}  // namespace ty
