// All observers of a run; shields the run from their failures.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "launch/run/observer.h"

namespace ty {

class Observers {
 public:
  // The observers must outlive this. Ranks other than 0 have none.
  explicit Observers(std::vector<RunObserver*> all) : all_(std::move(all)) {}

  // Calls `tell` for each observer. The first exception of the whole run is kept for
  // first_failure() and reported to all of them as a note; later ones are dropped.
  void tell(const std::function<void(RunObserver&)>& tell);
  // Why records are missing from the logs; "" if none are.
  const std::string& first_failure() const { return first_failure_; }

 private:
  std::vector<RunObserver*> all_;
  std::string first_failure_;
};

}  // namespace ty
