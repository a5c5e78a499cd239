#include "core/config/fields.h"

namespace ty::config {

void Checks::add(std::string_view key, const std::string& message) {
  std::string full = prefix_;
  if (!full.empty() && !key.empty()) full += '.';
  full += key;
  for (std::string_view around = full; !around.empty();) {
    if (const auto found = origins_.find(around); found != origins_.end()) {
      out_.add(found->second, full, message);
      return;
    }
    const std::size_t end = around.find_last_of(".[");
    around = end == std::string_view::npos ? "" : around.substr(0, end);
  }
  out_.add(file_, full, message);
}

void Fields::when(std::string_view selector, bool active, const std::string& condition,
                  const std::function<void()>& body) {
  const Condition inner{selector, active, condition, condition_};
  const Condition* const outer = std::exchange(condition_, &inner);
  body();
  condition_ = outer;
}

bool Fields::is_active() const {
  for (const Condition* c = condition_; c != nullptr; c = c->outer) {
    if (!c->active) return false;
  }
  return true;
}

}  // namespace ty::config
