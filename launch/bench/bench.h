// `trainyard bench`: one function per benchmark, and what they share.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "launch/cli/verb.h"
#include "launch/process/rank.h"

namespace ty::bench {

ExitCode step(const Arguments& arguments, RankStatus& status);
ExitCode gemm(const Arguments& arguments, RankStatus& status);
ExitCode generate(const Arguments& arguments, RankStatus& status);
ExitCode profile(const Arguments& arguments, RankStatus& status);
ExitCode linear(const Arguments& arguments, RankStatus& status);

struct Spread {
  double median = 0, min = 0, max = 0;
  // A 95 % confidence interval of the median (from order statistics; fewer than six measurements
  // have none, and this is min .. max).
  double low = 0, high = 0;
};
Spread spread_of(std::vector<double> x);
nlohmann::json to_json(const Spread& spread);
// The median and its interval, as "1.180x (1.171 .. 1.190)".
std::string format_ratio(const Spread& spread);
// The spread of the ratios a[i] / b[i]: two alternating measurements, compared round by round.
Spread ratios_of(const std::vector<double>& a, const std::vector<double>& b);

// How many rounds to run.
struct Rounds {
  std::int64_t warmup = 0, measured = 1;
};
// From --steps and --warmup.
Rounds rounds_of(const Arguments& arguments, std::int64_t warmup);
// Runs `count` things in turn, in reverse order in every other round, so that other load on the
// machine and drifts of its speed affect all of them alike. `shown`: reports progress on stderr.
void take_turns(
    const Rounds& rounds, std::size_t count, bool shown,
    const std::function<void(std::size_t thing, std::int64_t round, bool measured)>& run);

}  // namespace ty::bench
