#include "parallel/comm/mpi/requests.h"

#include <sched.h>

#include "core/base/error.h"
#include "core/base/stopwatch.h"

namespace ty {

namespace {

constexpr int kEagerTests = 64;             // before the core is given away
constexpr double kBetweenQuestions = 0.05;  // seconds, to look whether somebody asks

}  // namespace

bool Requests::test() {
  if (done_) return true;
  std::vector<MPI_Status> statuses(requests_.size());
  int done = 0;
  const int code =
      MPI_Testall(static_cast<int>(requests_.size()), requests_.data(), &done, statuses.data());
  if (code == MPI_ERR_IN_STATUS) {
    for (const MPI_Status& status : statuses) {
      if (status.MPI_ERROR != MPI_ERR_PENDING) check_mpi(status.MPI_ERROR, what_.str().c_str());
    }
  }
  if (code != MPI_SUCCESS) check_mpi(code, what_.str().c_str());
  done_ = done != 0;
  if (done_) check_lengths(statuses);
  return done_;
}

void Requests::wait(double patience_seconds) {
  const Stopwatch watch;
  double next_look = kBetweenQuestions;
  for (int tests = 0; !test(); ++tests) {
    if (tests < kEagerTests) continue;
    if (tests == kEagerTests) alarm_->begin();
    sched_yield();  // ranks may share a core
    const double waited = watch.seconds();
    if (waited > patience_seconds) {
      alarm_->raise(what_.str(), waited, [this] { return test(); });
    } else if (waited > next_look) {
      alarm_->attend(what_.str());
      next_look = waited + kBetweenQuestions;
    }
  }
}

void Requests::check_lengths(const std::vector<MPI_Status>& statuses) const {
  for (std::size_t i = 0; i < expected_.size(); ++i) {
    int count = 0;
    TY_MPI_CALL(MPI_Get_count(&statuses[i], mpi_type_of(what_.dtype), &count));
    if (count != expected_[i]) {
      throw CommError("{}: a piece of {} elements came, not {}", what_.str(), count, expected_[i]);
    }
  }
}

}  // namespace ty
