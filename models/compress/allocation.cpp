#include "models/compress/allocation.h"

#include <algorithm>
#include <queue>

#include "core/base/error.h"

namespace ty {

namespace {

struct Offer {
  double gain;  // per weight
  std::size_t layer;
  bool operator<(const Offer& other) const {
    return gain != other.gain ? gain < other.gain : layer > other.layer;
  }
};

// What the value at `rank` (from 0) is worth.
double gain_of(const RankSpectrum& spectrum, const RankCosts& cost, std::int64_t rank) {
  const auto square = [](double x) { return x * x; };
  double scale = spectrum.loss_scale;
  if (scale == 0) {
    double sum = 0;
    for (auto value = spectrum.sigma.rbegin(); value != spectrum.sigma.rend(); ++value) {
      sum += square(*value);
    }
    scale = sum > 0 ? 1 / sum : 0;
  }
  return scale * square(spectrum.sigma[static_cast<std::size_t>(rank)]) /
         static_cast<double>(cost.per_rank);
}

}  // namespace

std::vector<std::int64_t> allocate_ranks(const std::vector<RankSpectrum>& spectra,
                                         const std::vector<RankCosts>& costs,
                                         std::int64_t weights) {
  TY_CHECK(spectra.size() == costs.size(), "{} spectra, {} costs", spectra.size(), costs.size());
  std::vector<std::int64_t> ranks(spectra.size(), 1);
  std::priority_queue<Offer> offers;
  const auto offer_next = [&](std::size_t layer) {
    const std::int64_t most =
        std::min<std::int64_t>(costs[layer].most, std::ssize(spectra[layer].sigma));
    if (ranks[layer] < most) {
      offers.push({gain_of(spectra[layer], costs[layer], ranks[layer]), layer});
    }
  };
  for (std::size_t layer = 0; layer < spectra.size(); ++layer) {
    weights -= costs[layer].per_rank;
    offer_next(layer);
  }
  while (!offers.empty()) {
    const std::size_t layer = offers.top().layer;
    offers.pop();
    if (costs[layer].per_rank > weights) continue;  // cheaper layers may still fit
    weights -= costs[layer].per_rank;
    ++ranks[layer];
    offer_next(layer);
  }
  return ranks;
}

}  // namespace ty
