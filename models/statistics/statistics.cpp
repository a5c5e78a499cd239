#include "models/statistics/statistics.h"

#include "models/linear/adapters.h"

namespace ty {

bool has_statistic(const LinearSite& site, StatisticKind kind) {
  if (kind == StatisticKind::fisher) return is_one_matrix(site.spec);
  if (kind != StatisticKind::lora) return true;
  const auto* lora = site.spec.as<LoraSpec>();
  return lora != nullptr && !lora->options.dora && lora->options.cores == 0 &&
         is_one_matrix(lora->of);
}

StatisticKinds possible_kinds(const LinearSite& site, StatisticKinds wanted) {
  StatisticKinds own;
  for (const StatisticKind kind : kStatisticKinds) {
    if (wanted.has(kind) && has_statistic(site, kind)) own.add(kind);
  }
  return own;
}

bool LayerStatistics::has(StatisticKind kind) const {
  switch (kind) {
    case StatisticKind::fisher:
      return fisher.rows > 0;
    case StatisticKind::gram:
      return gram.rows > 0;
    case StatisticKind::inputs:
      return !mean_input.empty();
    case StatisticKind::lora:
      return !lora_rows.empty();
  }
  return false;
}

}  // namespace ty
