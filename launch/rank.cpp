#include "launch/rank.h"

#include <fmt/format.h>

#include <cstdio>

namespace ty {

int report_failure(const RankStatus& status, ExitCode code, std::string_view reason) {
  std::string where;
  if (status.size > 1 || status.step >= 0) {
    where = fmt::format("[rank {}", status.rank);
    if (status.step >= 0) where += fmt::format(" step {}", status.step);
    where += "] ";
  }
  fmt::print(stderr, "trainyard: {}{}\n", where, reason);
  std::fflush(stderr);
  if (status.size > 1 && status.abort_job != nullptr) status.abort_job(static_cast<int>(code));
  return static_cast<int>(code);
}

}  // namespace ty
