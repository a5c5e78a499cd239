#include "core/config/fields.h"

namespace ty::config {

Place place_of(std::string_view key, const Origins& origins) {
  for (std::string_view around = key;;) {
    if (const auto found = origins.find(around); found != origins.end()) return found->second;
    if (around.empty()) return {};
    const std::size_t end = around.find_last_of(".[");
    around = end == std::string_view::npos ? "" : around.substr(0, end);
  }
}

void Checks::add(std::string_view key, const std::string& message) {
  std::string full = prefix_;
  if (!full.empty() && !key.empty()) full += '.';
  full += key;
  out_.add(place_of(full, origins_), full, message);
}

void Fields::when(std::string_view selector, bool active, const std::string& condition,
                  const std::function<void()>& body) {
  const Condition inner{selector, active, condition, condition_};
  const Condition* const outer = std::exchange(condition_, &inner);
  body();
  condition_ = outer;
}

void Fields::alternatives(std::string_view name, std::string_view doc, const Alternatives& among) {
  Rule rule = required();
  rule.choices = among.names;
  std::string chosen = among.names.at(among.chosen);
  leaf({name, doc, rule}, make_leaf(chosen));
  // Structs that hold alternatives of their own kind have no end of keys that nobody chose.
  constexpr int kDeepest = 2;
  int depth = 0;
  for (const Fields* f = this; f != nullptr; f = f->outer_) {
    for (const Condition* c = f->condition_; c != nullptr; c = c->outer) {
      if (!c->active && c->selector == name) ++depth;
    }
  }
  if (depth >= kDeepest) return;
  for (std::size_t i = 0; i < among.names.size(); ++i) {
    const bool active = among.names[i] == chosen;
    if (active && i != among.chosen) among.choose(i);
    when(name, active, fmt::format("with {}: {}", name, among.names[i]), [&] {
      if (active) {
        among.visit_chosen(*this);
      } else {
        among.visit(*this, i);
      }
    });
  }
}

bool Fields::is_active() const {
  for (const Condition* c = condition_; c != nullptr; c = c->outer) {
    if (!c->active) return false;
  }
  return true;
}

}  // namespace ty::config
