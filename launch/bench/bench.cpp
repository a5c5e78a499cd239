#include "launch/bench/bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/base/error.h"
#include "core/base/stopwatch.h"
#include "launch/report/progress.h"
#include "launch/report/text.h"

namespace ty::bench {

namespace {

// How many of n ordered measurements may be left off at either end so that the rest still hold the
// median in 95 of 100 cases: P(Binomial(n, 1/2) <= k) <= 0.025, by the normal approximation, which
// with half a measurement for whole numbers is exact or one too small.
std::size_t outside_interval(std::size_t n) {
  const auto count = static_cast<double>(n);
  return static_cast<std::size_t>(std::max(0.0, (count - 1.96 * std::sqrt(count) - 1) / 2));
}

}  // namespace

Spread spread_of(std::vector<double> x) {
  std::sort(x.begin(), x.end());
  const std::size_t outside = outside_interval(x.size());
  return {.median = x[x.size() / 2],
          .min = x.front(),
          .max = x.back(),
          .low = x[outside],
          .high = x[x.size() - 1 - outside]};
}

Spread ratios_of(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < a.size(); ++i) ratios.push_back(a[i] / b[i]);
  return spread_of(std::move(ratios));
}

std::string format_ratio(const Spread& spread) {
  return fmt::format("{:.3f}x ({:.3f} .. {:.3f})", spread.median, spread.low, spread.high);
}

nlohmann::json to_json(const Spread& spread) {
  return {{"median", spread.median},
          {"min", spread.min},
          {"max", spread.max},
          {"low", spread.low},
          {"high", spread.high}};
}

Rounds rounds_of(const Arguments& arguments, std::int64_t warmup) {
  return {.warmup = arguments.integer("--warmup", warmup),
          .measured = arguments.integer("--steps", 5)};
}

void take_turns(
    const Rounds& rounds, std::size_t count, bool shown,
    const std::function<void(std::size_t thing, std::int64_t round, bool measured)>& run) {
  constexpr double kQuiet = 10;  // seconds
  ProgressLine line;
  const Stopwatch watch;
  double said = 0;
  const std::int64_t all = rounds.warmup + rounds.measured;
  for (std::int64_t round = 0; round < all; ++round) {
    for (std::size_t i = 0; i < count; ++i) {
      run(round % 2 == 0 ? i : count - 1 - i, round, round >= rounds.warmup);
    }
    const double now = watch.seconds();
    if (!shown || now - said < kQuiet) continue;
    said = now;
    const double each = now / static_cast<double>(round + 1);
    line.show(fmt::format("round {} of {}  left {}", round + 1, all,
                          human_duration(each * static_cast<double>(all - round - 1))));
  }
  line.finish();
}

}  // namespace ty::bench
