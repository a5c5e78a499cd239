#include "models/linear/base/factors.h"

#include <cmath>
#include <span>
#include <utility>

#include "core/base/error.h"

namespace ty {

using config::between;

void keep_field(config::Fields& f, double& keep) {
  f.field("keep", keep, "weights as a share of the dense layer's, 30% or 0.3; 0: by rank",
          between(0, 1).percent());
}

void init_field(config::Fields& f, FactorInit& init) {
  f.field("init", init,
          "how the factors start; orthogonal: the same W, better conditioned; spectral: cut from a "
          "dense draw, as compress would",
          {{"normal", FactorInit::normal},
           {"orthogonal", FactorInit::orthogonal},
           {"spectral", FactorInit::spectral}});
}

std::optional<SpecFault> fault_of_size(const std::vector<SizeKey>& keys, double keep) {
  std::vector<const SizeKey*> stated;
  for (const SizeKey& each : keys) {
    if (each.is_stated) stated.push_back(&each);
  }
  if (stated.empty()) {
    std::vector<const char*> others;
    for (const SizeKey& each : std::span(keys).subspan(1)) others.push_back(each.key);
    return SpecFault{keys[0].key, fmt::format("missing or 0; state {} >= 1, or {}", keys[0].key,
                                              fmt::join(others, ", or "))};
  }
  if (stated.size() > 1) {
    return SpecFault{stated[1]->key,
                     fmt::format("{} beside {} = {}; state one of them", stated[1]->value,
                                 stated[0]->key, stated[0]->value)};
  }
  if (!(keep >= 0 && keep <= 1)) {
    return SpecFault{"keep", fmt::format("{} is no share of the dense weights; want above 0 and at "
                                         "most 1",
                                         keep)};
  }
  return std::nullopt;
}

std::optional<SpecFault> fault_of_inner(const LinearSpec& of) {
  if (kind_name(of) == "guided") return SpecFault{"of", "has a guide, which goes around all"};
  auto fault = fault_of(of);
  if (fault) fault->key = "of." + fault->key;
  return fault;
}

std::optional<SpecFault> fault_of_pairs(const std::vector<std::int64_t>& in,
                                        const std::vector<std::int64_t>& out) {
  if (in.empty() != out.empty()) {
    const bool lacks_in = in.empty();
    return SpecFault{
        lacks_in ? "in" : "out",
        fmt::format("{} = {} wants {} beside it; state both or neither", lacks_in ? "out" : "in",
                    list_of(lacks_in ? out : in), lacks_in ? "in" : "out")};
  }
  for (const auto& [side, sizes] : {std::pair{"in", &in}, std::pair{"out", &out}}) {
    if (sizes->empty() || sizes->size() == 2) continue;
    return SpecFault{side,
                     fmt::format("{} has {} sizes; want two", list_of(*sizes), sizes->size())};
  }
  return {};
}

void check_pairs(std::string_view kind, const std::vector<std::int64_t>& in,
                 const std::vector<std::int64_t>& out, const LinearShape& shape) {
  const auto check = [&](const char* side, const std::vector<std::int64_t>& sizes,
                         std::int64_t features) {
    if (sizes[0] * sizes[1] == features) return;
    throw ConfigError("{}: {} = {} multiplies to {}, not to the layer's {}", kind, side,
                      list_of(sizes), sizes[0] * sizes[1], features);
  };
  check("in", in, shape.in);
  check("out", out, shape.out);
}

void check_budget(double keep, const LinearShape& shape, std::int64_t least,
                  const std::string& what) {
  if (weights_in_share(keep, shape) >= least) return;
  constexpr double kDigits = 1e4;
  const double share = static_cast<double>(least) / static_cast<double>(shape.in * shape.out);
  throw ConfigError("keep = {} allows {} weights, but {} has {}; want {:.4g} or more", keep,
                    weights_in_share(keep, shape), what, least,
                    std::ceil(share * kDigits) / kDigits);
}

std::string list_of(const std::vector<std::int64_t>& sizes) {
  return fmt::format("[{}]", fmt::join(sizes, ", "));
}

double flops_of_weights(std::int64_t weights, std::int64_t tokens) {
  return 2.0 * static_cast<double>(weights) * static_cast<double>(tokens);
}

}  // namespace ty
