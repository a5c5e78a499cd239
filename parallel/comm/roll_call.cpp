#include "parallel/comm/roll_call.h"

#include <fmt/format.h>

#include <algorithm>

namespace ty {

namespace {

// "rank 3", "ranks 0 and 2", "ranks 0, 2 and 3"
std::string list(const std::vector<int>& ranks) {
  if (ranks.size() == 1) return fmt::format("rank {}", ranks[0]);
  return fmt::format("ranks {} and {}", fmt::join(ranks.begin(), ranks.end() - 1, ", "),
                     ranks.back());
}

}  // namespace

RollCall::RollCall(std::vector<int> ranks, int own, const std::string& call, double waited_seconds)
    : ranks_(std::move(ranks)), waited_seconds_(waited_seconds), calls_{{own, call}} {}

std::vector<int> RollCall::late() const {
  std::vector<int> result;
  std::copy_if(ranks_.begin(), ranks_.end(), std::back_inserter(result),
               [&](int rank) { return !calls_.contains(rank); });
  return result;
}

// "ranks 0 and 2 wait in A", "rank 0 waits in A, rank 2 waits in B"
std::string RollCall::places() const {
  std::map<std::string, std::vector<int>> by_call;
  for (const auto& [rank, call] : calls_) by_call[call].push_back(rank);
  std::vector<std::string> parts;
  for (const auto& [call, ranks] : by_call) {
    parts.push_back(
        fmt::format("{} {} in {}", list(ranks), ranks.size() == 1 ? "waits" : "wait", call));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string RollCall::verdict() const {
  const std::vector<int> absent = late();
  if (!absent.empty()) {
    return fmt::format(
        "{} {} late: {}, for {:.1f} s by now; stopped, or kept busy by something else? Run the "
        "same "
        "command to go on",
        list(absent), absent.size() == 1 ? "is" : "are", places(), waited_seconds_);
  }
  return fmt::format("no rank is late, but nothing has moved for {:.1f} s: {}", waited_seconds_,
                     places());
}

}  // namespace ty
