#include "launch/run/linear_ranks.h"

#include <algorithm>

#include "core/base/error.h"
#include "models/linear/dense/dense.h"
#include "models/linear/svd/svd.h"
#include "models/linear/ttm/ttm.h"
#include "models/transformer/model.h"

namespace ty {

std::vector<LinearRule> with_rank(std::vector<LinearRule> rules, std::int64_t rank) {
  for (LinearRule& rule : rules) {
    if (const auto* svd = rule.spec.as<SvdSpec>()) {
      SvdSpec other = *svd;
      other.rank = rank;
      other.keep = 0;
      rule.spec = other;
    } else if (const auto* ttm = rule.spec.as<TtmSpec>()) {
      TtmSpec other = *ttm;
      other.rank = rank;
      other.ranks.clear();
      other.keep = 0;
      rule.spec = other;
    }
  }
  return rules;
}

namespace {

SizeByRank size_of(const ModelSpec& spec, std::int64_t rank) {
  const Model model(describe_model(spec), LinearRules(spec.linear));
  SizeByRank size = {.rank = rank};
  for (const Parameter& parameter : model.parameters().all()) {
    size.parameters += parameter.whole().numel();
  }
  const auto& sites = model.linear_sites();
  const auto factorised = std::find_if(sites.begin(), sites.end(), [](const LinearSite& site) {
    return site.spec.as<DenseSpec>() == nullptr;
  });
  if (factorised != sites.end()) size.made_of = describe(factorised->spec);
  return size;
}

}  // namespace

std::vector<SizeByRank> sizes_by_rank(ModelSpec spec, std::span<const std::int64_t> ranks) {
  const std::vector<LinearRule> rules = spec.linear;
  spec.linear.clear();
  std::vector<SizeByRank> sizes = {size_of(spec, 0)};
  for (const std::int64_t rank : ranks) {
    spec.linear = with_rank(rules, rank);
    sizes.push_back(size_of(spec, rank));
    if (!sizes.back().made_of.empty()) continue;
    throw ConfigError(Key{"linear"},
                      "no rule makes layers that have a rank; want kind: svd or ttm");
  }
  return sizes;
}

}  // namespace ty
