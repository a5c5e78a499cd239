#include "launch/rank.h"

#include <chrono>
#include <thread>

#include "launch/output.h"

namespace ty {

namespace {

// How long the first rank has to say what is wrong, and to end the job, before another rank does.
constexpr std::chrono::seconds kFirstWord(1);

}  // namespace

int report_failure(const RankStatus& status, const Failure& failure) {
  // Ranks that fail alike do so at about the same time, and the first rank ends the job before the
  // others get to speak; what only they have found they say a little later.
  if (status.rank > 0) std::this_thread::sleep_for(kFirstWord);
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
