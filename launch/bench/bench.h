// What `trainyard bench` measures: one function per subject, and what they share.
#pragma once

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "launch/rank.h"
#include "launch/verb.h"

namespace ty::bench {

ExitCode step(const Arguments& arguments, RankStatus& status);
ExitCode gemm(const Arguments& arguments, RankStatus& status);
ExitCode linear(const Arguments& arguments, RankStatus& status);

// An option that counts something; throws UsageError unless it is at least 1.
std::int64_t count_of(const Arguments& arguments, const char* option, std::int64_t otherwise);

struct Spread {
  double median = 0, min = 0, max = 0;
};
Spread spread_of(std::vector<double> x);
nlohmann::json to_json(const Spread& spread);
// Of the quotients a[i] / b[i]: two things that took turns, compared round by round.
Spread ratios_of(const std::vector<double>& a, const std::vector<double>& b);

// Seconds that fn takes.
template <typename Fn>
double seconds_of(Fn&& fn) {
  const auto start = std::chrono::steady_clock::now();
  fn();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace ty::bench
