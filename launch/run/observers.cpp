#include "launch/run/observers.h"

#include <exception>

namespace ty {

void Observers::tell(const std::function<void(RunObserver&)>& tell) {
  std::string failure;
  for (RunObserver* observer : all_) {
    try {
      tell(*observer);
    } catch (const std::exception& e) {
      if (failure.empty()) failure = e.what();
    }
  }
  if (failure.empty() || !first_failure_.empty()) return;
  first_failure_ = failure;
  this->tell([&](RunObserver& observer) {
    observer.noted("warning: a line of the logs is lost: " + failure);
  });
}

}  // namespace ty
