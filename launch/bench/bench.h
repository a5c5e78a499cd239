// What `trainyard bench` measures: one function per subject, and what they share.
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
ExitCode linear(const Arguments& arguments, RankStatus& status);

struct Spread {
  double median = 0, min = 0, max = 0;
  // Holds the median of all such measurements with 95 % confidence (order statistics; of fewer than
  // six measurements no interval does, and this is min .. max).
  double low = 0, high = 0;
};
Spread spread_of(std::vector<double> x);
nlohmann::json to_json(const Spread& spread);
// The median and its interval, as "1.180x (1.171 .. 1.190)".
std::string format_ratio(const Spread& spread);
// Of the quotients a[i] / b[i]: two things that took turns, compared round by round.
Spread ratios_of(const std::vector<double>& a, const std::vector<double>& b);

// How often things that are compared run.
struct Rounds {
  std::int64_t warmup = 0, measured = 1;
};
// From --steps and --warmup.
Rounds rounds_of(const Arguments& arguments, std::int64_t warmup);
// Runs things 0 .. count - 1 in turns, in every other round the last one first: what else the
// machine does, and a drift of its speed, falls on all of them alike. Long work says on stderr
// where it is.
void take_turns(
    const Rounds& rounds, std::size_t count, bool shown,
    const std::function<void(std::size_t thing, std::int64_t round, bool measured)>& run);

}  // namespace ty::bench
