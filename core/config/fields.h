// The field list: the single description of a config struct, from which it is read, checked,
// printed and documented, and its schema generated.
//
//   struct OptimSection { double lr = 1e-3; std::vector<double> betas{0.9, 0.95}; };
//   void fields(config::Fields& f, OptimSection& s) {
//     f.field("lr", s.lr, "peak learning rate", config::positive());
//     f.field("betas", s.betas, "decay of the moments", config::at_least(0).below(1).items(2));
//   }
//   void check(const OptimSection& s, config::Checks& checks);   // optional: cross-field rules
//
// Members may also be structs with a field list of their own, or vectors of such structs. Each use
// of the list (reading, printing, ...) is one subclass of Fields.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/config/diagnostics.h"
#include "core/config/leaf.h"
#include "core/config/rule.h"

namespace ty::config {

class Fields;

// Where each stated key got its value, by dotted key; absent keys have their default. The key "" is
// the file itself.
using Origins = std::map<std::string, Place, std::less<>>;

// Where a key was stated; failing that, the nearest enclosing key; failing that, the file.
Place place_of(std::string_view key, const Origins& origins);

// Passed to a struct's check(), which reports violated rules between its fields.
class Checks {
 public:
  Checks(std::string prefix, const Origins& origins, Diagnostics& diagnostics)
      : prefix_(std::move(prefix)), origins_(origins), out_(diagnostics) {}

  // An error at place_of(`key`), which is dotted and relative to the struct.
  template <typename... Args>
  void fail(std::string_view key, fmt::format_string<Args...> format, Args&&... args) {
    add(key, fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  void add(std::string_view key, const std::string& message);

  std::string prefix_;
  const Origins& origins_;
  Diagnostics& out_;
};

struct Key {
  std::string_view name, doc;
  Rule rule;
};

// A struct, type-erased to its field list and its check.
struct Section {
  std::function<void(Fields&)> visit;
  std::function<void(Checks&)> check;  // may be empty
};

// A vector of structs.
struct SectionList {
  std::function<std::size_t()> size;
  std::function<void(std::size_t)> resize;
  std::function<Section(std::size_t)> item;
  std::function<void(Fields&)> visit_default;  // the field list of a fresh item
};

// A choice among structs by name; each has a field list of its own.
struct Alternatives {
  std::vector<std::string> names;
  std::size_t chosen = 0;
  std::function<void(std::size_t)> choose;          // another one, set to its defaults
  std::function<void(Fields&)> visit_chosen;        // the field list of the chosen one
  std::function<void(Fields&, std::size_t)> visit;  // of a default one, only to list its keys
};

template <class T>
Section make_section(T& value) {
  Section section;
  section.visit = [&value](Fields& f) { fields(f, value); };
  if constexpr (requires(Checks & checks) { check(std::as_const(value), checks); }) {
    section.check = [&value](Checks& checks) { check(std::as_const(value), checks); };
  }
  return section;
}

template <class T>
SectionList make_section_list(std::vector<T>& value) {
  return {[&value] { return value.size(); }, [&value](std::size_t n) { value.assign(n, T{}); },
          [&value](std::size_t i) { return make_section(value[i]); },
          [](Fields& f) {
            T fresh{};
            fields(f, fresh);
          }};
}

class Fields {
 public:
  // `outer`: the enclosing use, if this one visits a nested struct.
  explicit Fields(const Fields* outer = nullptr) : outer_(outer) {}
  virtual ~Fields() = default;

  // One key of the struct: its name, member, one-line doc, and what is allowed.
  template <class T>
  void field(std::string_view name, T& member, std::string_view doc, Rule rule = {}) {
    if constexpr (requires { make_leaf(member); }) {
      leaf({name, doc, std::move(rule)}, make_leaf(member));
    } else if constexpr (requires { make_section_list(member); }) {
      list({name, doc, std::move(rule)}, make_section_list(member));
    } else {
      section({name, doc, std::move(rule)}, make_section(member));
    }
  }

  // A key with a table of names: an enum, or std::optional of one.
  template <class E>
  requires std::is_enum_v<E>
  void field(std::string_view name, E& member, std::string_view doc,
             std::initializer_list<Named<E>> names) {
    leaf({name, doc, choices_of(names)}, make_leaf(member, std::vector<Named<E>>(names)));
  }
  template <class E>
  requires std::is_enum_v<E>
  void field(std::string_view name, std::optional<E>& member, std::string_view doc,
             std::initializer_list<Named<E>> names) {
    leaf({name, doc, choices_of(names)}, make_leaf(member, std::vector<Named<E>>(names)));
  }

  // Keys declared in `body` may be stated only if `active`. `selector` is the key that decides;
  // `condition` completes "only used ..." in messages: "with name: adamw". A key stated in an
  // earlier layer than the selector is silently dropped: the later layer chose something else.
  void when(std::string_view selector, bool active, const std::string& condition,
            const std::function<void()>& body);

  // A required key that chooses among structs; the keys of the chosen struct stand beside it.
  void alternatives(std::string_view name, std::string_view doc, const Alternatives& among);

 protected:
  // The condition of the innermost when() around the current key; null outside any.
  struct Condition {
    std::string_view selector;
    bool active;
    const std::string& text;
    const Condition* outer;
  };
  const Condition* condition() const { return condition_; }
  // False inside a when() whose condition does not hold.
  bool is_active() const;

  virtual void leaf(const Key& key, const Leaf& leaf) = 0;
  virtual void section(const Key& key, const Section& section) = 0;
  virtual void list(const Key& key, const SectionList& list) = 0;

 private:
  template <class E>
  static Rule choices_of(std::initializer_list<Named<E>> names) {
    Rule rule;
    for (const Named<E>& row : names) rule.choices.emplace_back(row.name);
    return rule;
  }

  const Fields* outer_;
  const Condition* condition_ = nullptr;
};

}  // namespace ty::config
