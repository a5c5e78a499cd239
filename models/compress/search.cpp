#include "models/compress/search.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "core/base/error.h"
#include "models/linear/adapters.h"
#include "models/transformer/token_table.h"

namespace ty {

namespace {

constexpr double kShares[] = {0.1, 0.2, 0.3, 0.4,
                              0.5, 0.6, 0.7, 0.8};  // of a dense layer's weights

std::vector<std::size_t> cheapest_at(std::span<const std::vector<Candidate>> layers, double price) {
  std::vector<std::size_t> chosen;
  for (const std::vector<Candidate>& candidates : layers) {
    const auto value = [&](const Candidate& c) { return c.error + price * c.cost; };
    const auto best =
        std::min_element(candidates.begin(), candidates.end(),
                         [&](const auto& a, const auto& b) { return value(a) < value(b); });
    chosen.push_back(static_cast<std::size_t>(best - candidates.begin()));
  }
  return chosen;
}

double cost_of(std::span<const std::vector<Candidate>> layers,
               const std::vector<std::size_t>& chosen) {
  double sum = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) sum += layers[i][chosen[i]].cost;
  return sum;
}

// The improvement that gains most and fits, until none does.
void spend_rest(std::span<const std::vector<Candidate>> layers, std::vector<std::size_t>& chosen,
                double left) {
  while (true) {
    double most = 0;
    std::size_t layer = 0, candidate = 0;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const Candidate& now = layers[i][chosen[i]];
      for (std::size_t k = 0; k < layers[i].size(); ++k) {
        const Candidate& other = layers[i][k];
        if (other.cost - now.cost > left || now.error - other.error <= most) continue;
        most = now.error - other.error;
        layer = i;
        candidate = k;
      }
    }
    if (most == 0) return;
    left -= layers[layer][candidate].cost - layers[layer][chosen[layer]].cost;
    chosen[layer] = candidate;
  }
}

// What cuts a layer in a candidate's way; no method: it stays as it is.
struct Way {
  const Method* method = nullptr;
  double share = 1;
};

// Squared.
double error_of(const CompressedLayer& layer) {
  const double error =
      layer.output_error.value_or(layer.fisher_error.value_or(layer.relative_error));
  return error * error;
}

// An adapter that is kept beside a layer is no part of the weights that are divided.
double cost_of(const LinearSite& site, SearchGoal goal, bool keeps_adapters) {
  if (goal == SearchGoal::weights) {
    const LinearSpec* inner = keeps_adapters ? adapted(site.spec) : nullptr;
    return static_cast<double>(num_weights(inner != nullptr ? *inner : site.spec, site.shape));
  }
  const auto product = product_of(site);
  return !product
             ? 0
             : work_of(product->spec, product->shape, LinearLayout::whole, Split::none, {}).seconds;
}

LinearSite as_dense(LinearSite site) {
  site.spec = LinearSpec();
  return site;
}

}  // namespace

std::vector<std::size_t> choose_candidates(std::span<const std::vector<Candidate>> layers,
                                           double most) {
  constexpr int kSteps = 100;           // of the bisection
  constexpr double kMostPrice = 1e100;  // at which only costs count
  double low = 0, high = 1;
  const auto fits = [&](double price) {
    return cost_of(layers, cheapest_at(layers, price)) <= most;
  };
  if (fits(0)) return cheapest_at(layers, 0);
  while (!fits(high) && high < kMostPrice) high *= 2;
  for (int i = 0; i < kSteps; ++i) {
    const double middle = low + (high - low) / 2;
    (fits(middle) ? high : low) = middle;
  }
  std::vector<std::size_t> chosen = cheapest_at(layers, high);
  spend_rest(layers, chosen, most - cost_of(layers, chosen));
  return chosen;
}

Compression search_compression(const StoredModel& source, const std::vector<LinearSite>& layers,
                               const SearchRequest& request, const CompressionOptions& options) {
  const auto cut = [&](const LinearSite& site, const Way& way) {
    DecompositionRequest wanted = request.like;
    wanted.budget = ShareBudget{way.share};
    return compress(source, {site}, *way.method, wanted,
                    {.statistics = options.statistics, .keeps_adapters = options.keeps_adapters});
  };
  std::vector<std::vector<Candidate>> candidates;
  std::vector<std::vector<Way>> ways;
  double dense = 0;
  const auto cost = [&](const LinearSite& site) {
    return cost_of(site, request.goal, options.keeps_adapters);
  };
  for (std::size_t i = 0; i < layers.size(); ++i) {
    options.progress(i);
    candidates.push_back({{.error = 0, .cost = cost(layers[i])}});
    ways.push_back({Way()});
    dense += cost(as_dense(layers[i]));
    for (const Method* method : request.methods) {
      for (const double share : kShares) {
        std::optional<Compression> made;
        try {
          made = cut(layers[i], {method, share});
        } catch (const UsageError&) {  // so few weights are not enough for this method
          continue;
        }
        const CompressedLayer& layer = made->layers[0];
        candidates.back().push_back({error_of(layer), cost(layer.site())});
        ways.back().push_back({method, share});
      }
    }
  }
  const std::vector<std::size_t> chosen = choose_candidates(candidates, request.share * dense);
  const double least = cost_of(candidates, chosen);
  if (least > request.share * dense) {
    throw UsageError("--search: these methods need {:.1f} % of the {}; want so much or more",
                     100 * least / dense,
                     request.goal == SearchGoal::weights ? "weights" : "predicted time");
  }
  Compression result = {.layers = {},
                        .parameters_before = source.parameters().count(),
                        .parameters_after = source.parameters().count(),
                        .tokens = source.spec().context};
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const Way& way = ways[i][chosen[i]];
    if (way.method == nullptr) continue;
    options.progress(i);
    Compression one = cut(layers[i], way);
    result.parameters_after += one.parameters_after - one.parameters_before;
    result.layers.push_back(std::move(one.layers[0]));
  }
  return result;
}

}  // namespace ty
