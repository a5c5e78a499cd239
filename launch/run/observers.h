// The observers of a run behind one door, through which no failure of theirs reaches the run.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "launch/run/observer.h"

namespace ty {

class Observers {
 public:
  // They must outlive this. None on ranks other than 0.
  explicit Observers(std::vector<RunObserver*> all) : all_(std::move(all)) {}

  // Calls `tell` for each observer. The first exception of the whole run is kept for
  // first_failure() and noted to all of them; others are dropped.
  void tell(const std::function<void(RunObserver&)>& tell);
  // Why something is missing in the logs; "" if nothing is.
  const std::string& first_failure() const { return first_failure_; }

 private:
  std::vector<RunObserver*> all_;
  std::string first_failure_;
};

}  // namespace ty
