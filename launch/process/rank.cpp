#include "launch/process/rank.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "launch/process/output.h"

namespace ty {

namespace {

// How long a rank leaves the one before it to say what is wrong and to end the job.
constexpr std::chrono::milliseconds kForOneBefore(1200);
constexpr int kMostBefore = 3;

}  // namespace

int report_failure(const RankStatus& status, const Failure& failure) {
  // Ranks that fail alike do so at about the same time, and the first of them ends the job before
  // the others get to speak; what one of them alone has found it says a little later.
  std::this_thread::sleep_for(kForOneBefore * std::min(status.rank, kMostBefore));
  std::string where;
  if (status.size > 1 || status.step >= 0) {
    where = fmt::format("[rank {}", status.rank);
    if (status.step >= 0) where += fmt::format(" step {}", status.step);
    where += "] ";
  }
  remark(fmt::format("trainyard: {}{}", where, failure.reason));
  if (status.size > 1 && status.abort_job != nullptr) {
    status.abort_job(static_cast<int>(failure.code));
  }
  return static_cast<int>(failure.code);
}

}  // namespace ty
