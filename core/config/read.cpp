#include "core/config/read.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "core/base/suggest.h"
#include "core/config/scalar.h"

namespace ty::config {
namespace {

std::string described(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::list:
      return "a list";
    case Node::Kind::map:
      return "a map";
    default:
      return shown(node.text, node.quoted);
  }
}

class Reader final : public Fields {
 public:
  Reader(const Place& file, Diagnostics& diagnostics)
      : file_(file), out_(diagnostics), origins_{{"", file}} {}

  void read_section(const Node* map, const Place& place, const std::string& prefix,
                    const Section& section) {
    const std::size_t errors_before = errors();
    frames_.push_back({map, place, prefix, {}, {}});
    section.visit(*this);
    reject_undeclared();
    frames_.pop_back();
    if (errors() > errors_before || !section.check) return;
    Checks checks(prefix, origins_, out_);
    section.check(checks);
  }

  // Only errors that can be shown are worth a search for what was meant: a file may hold a hundred
  // thousand of them.
  Origins finish() {
    std::stable_sort(unknown_.begin(), unknown_.end(), [](const Unknown& a, const Unknown& b) {
      return a.place.comes_before(b.place);
    });
    for (std::size_t i = 0; i < unknown_.size(); ++i) {
      if (i < kMostErrorsShown)
        report(unknown_[i]);
      else
        out_.add(unknown_[i].place, unknown_[i].name, "unknown key");
    }
    return std::move(origins_);
  }

 private:
  struct Declared {
    std::string name;
    bool active;
    std::string selector, condition;  // of an inactive key
  };
  struct Frame {
    const Node* map;  // null if the section is not stated
    Place place;
    std::string prefix;
    std::vector<Declared> declared;
    std::vector<std::string> bad;  // keys with errors
  };
  struct Unknown {
    Place place;
    std::string prefix, name;
    std::shared_ptr<const std::vector<std::string>> known;
  };

  std::size_t errors() const { return out_.size() + unknown_.size(); }

  static std::string dotted(const std::string& prefix, std::string_view name) {
    return prefix.empty() ? std::string(name) : fmt::format("{}.{}", prefix, name);
  }

  // Notes that the key exists; returns its entry if it is stated and to be read.
  const Entry* declare(const Key& key) {
    Frame& frame = frames_.back();
    const bool active = is_active();
    Declared declared{std::string(key.name), active, "", ""};
    if (!active) {
      const Condition* failing = condition();
      while (failing->active) failing = failing->outer;
      declared.selector = failing->selector;
      declared.condition = failing->text;
    }
    frame.declared.push_back(std::move(declared));
    const bool is_in_list = frame.prefix.ends_with(']');
    if (!is_in_list) all_keys_.push_back(dotted(frame.prefix, key.name));
    return active && frame.map != nullptr ? frame.map->find(key.name) : nullptr;
  }

  void fail(const Place& place, const std::string& key, std::string_view message) {
    out_.add(place, key, message);
  }

  void leaf(const Key& key, const Leaf& leaf) override {
    const Entry* entry = declare(key);
    Frame& frame = frames_.back();
    if (entry == nullptr && !key.rule.is_required) return;
    const std::string name = dotted(frame.prefix, key.name);
    const std::size_t errors_before = errors();
    if (entry != nullptr) {
      origins_[name] = entry->value.place;
      if (auto values = read_values(entry->value, name, leaf.type, key.rule)) leaf.set(*values);
    } else if (key.rule.is_required && is_active()) {
      fail(frame.place.source ? frame.place : file_, name,
           fmt::format("missing; want {}", leaf.type.wanted(key.rule)));
    }
    if (errors() > errors_before) frame.bad.emplace_back(key.name);
  }

  std::optional<std::vector<Scalar>> read_values(const Node& node, const std::string& name,
                                                 const LeafType& type, const Rule& rule) {
    if (node.kind == Node::Kind::invalid) return std::nullopt;
    const std::string_view empty = type.empty_word;
    const bool is_empty_word = empty == "null"
                                   ? node.kind == Node::Kind::null
                                   : !empty.empty() && node.kind == Node::Kind::scalar &&
                                         !node.quoted && node.text == empty;
    if (is_empty_word) return std::vector<Scalar>{};
    if (!type.is_list) {
      const auto value = read_scalar(node, name, type, rule);
      if (!value) return std::nullopt;
      return std::vector<Scalar>{*value};
    }
    if (node.kind != Node::Kind::list) {
      fail(node.place, name, fmt::format("got {}; want {}", described(node), type.wanted(rule)));
      return std::nullopt;
    }
    const auto count = static_cast<std::int64_t>(node.items.size());
    if (rule.number_of_items && count != *rule.number_of_items) {
      fail(node.place, name,
           fmt::format("got {} item{}; want {}", count, count == 1 ? "" : "s", type.wanted(rule)));
      return std::nullopt;
    }
    std::vector<Scalar> values;
    const LeafType item_type{type.kind, false, ""};
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      const auto value =
          read_scalar(node.items[i], fmt::format("{}[{}]", name, i), item_type, rule);
      if (value) values.push_back(*value);
    }
    if (values.size() != node.items.size()) return std::nullopt;
    return values;
  }

  std::optional<Scalar> read_scalar(const Node& node, const std::string& name, const LeafType& type,
                                    const Rule& rule) {
    if (node.kind == Node::Kind::invalid) return std::nullopt;
    Parsed parsed;
    if (node.kind == Node::Kind::scalar) parsed = parse_scalar(node, type.kind, rule);
    if (parsed.value && within(*parsed.value, rule)) return parsed.value;
    fail(node.place, name,
         fmt::format("got {}; want {}{}", described(node), type.wanted(rule), parsed.hint));
    return std::nullopt;
  }

  void section(const Key& key, const Section& section) override {
    const Entry* entry = declare(key);
    if (!is_active()) return;
    const std::string name = dotted(frames_.back().prefix, key.name);
    const Node* map = nullptr;
    Place place = frames_.back().place;
    if (entry != nullptr) {
      place = entry->place;
      origins_[name] = place;
      map = map_of(entry->value, name);
    }
    read_section(map, place, name, section);
  }

  void list(const Key& key, const SectionList& list) override {
    const Entry* entry = declare(key);
    if (entry == nullptr) return;
    const Node& node = entry->value;
    const std::string name = dotted(frames_.back().prefix, key.name);
    origins_[name] = node.place;
    if (node.kind == Node::Kind::invalid) return;
    if (node.kind != Node::Kind::list) {
      fail(node.place, name, fmt::format("got {}; want a list of maps", described(node)));
      return;
    }
    list.resize(node.items.size());
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      const std::string item = fmt::format("{}[{}]", name, i);
      origins_[item] = node.items[i].place;
      const Node* map = map_of(node.items[i], item);
      if (map != nullptr) read_section(map, map->place, item, list.item(i));
    }
  }

  const Node* map_of(const Node& node, const std::string& name) {
    if (node.kind == Node::Kind::map) return &node;
    if (node.kind != Node::Kind::invalid) {
      fail(node.place, name, fmt::format("got {}; want a map of keys", described(node)));
    }
    return nullptr;
  }

  // Errors for the entries of the current map that no active field has claimed.
  void reject_undeclared() {
    const Frame& frame = frames_.back();
    if (frame.map == nullptr) return;
    auto known = std::make_shared<std::vector<std::string>>();
    for (const Declared& declared : frame.declared) {
      const bool is_new = std::find(known->begin(), known->end(), declared.name) == known->end();
      if (declared.active && is_new) known->push_back(declared.name);
    }
    for (const Entry& entry : frame.map->entries) {
      if (std::find(known->begin(), known->end(), entry.key) != known->end()) continue;
      const bool is_inactive =
          std::any_of(frame.declared.begin(), frame.declared.end(),
                      [&](const Declared& declared) { return declared.name == entry.key; });
      if (is_inactive) {
        reject_inactive(frame, entry);
      } else {
        unknown_.push_back({entry.place, frame.prefix, entry.key, known});
      }
    }
  }

  // A key of other alternatives than the chosen one.
  void reject_inactive(const Frame& frame, const Entry& entry) {
    std::vector<std::string> conditions;
    std::string selector;
    for (const Declared& declared : frame.declared) {
      if (declared.name != entry.key) continue;
      selector = declared.selector;
      if (std::find(frame.bad.begin(), frame.bad.end(), selector) != frame.bad.end()) return;
      const auto stated = origins_.find(dotted(frame.prefix, selector));
      const int layer = stated == origins_.end() ? -1 : stated->second.layer();
      if (entry.value.place.layer() < layer) return;
      conditions.push_back(declared.condition);
    }
    fail(entry.place, dotted(frame.prefix, entry.key),
         fmt::format("only used {}; remove it or change {}", fmt::join(conditions, " or "),
                     selector));
  }

  void report(const Unknown& unknown) {
    std::string hint = did_you_mean(unknown.name, *unknown.known);
    if (hint.empty()) {
      // The same name in another section.
      for (const std::string& key : all_keys_) {
        if (key.ends_with("." + unknown.name)) {
          hint = fmt::format(" (did you mean \"{}\"?)", key);
          break;
        }
      }
    }
    out_.add(unknown.place, dotted(unknown.prefix, shown(unknown.name, false)),
             fmt::format("unknown key; known: {}{}", joined(*unknown.known), hint));
  }

  const Place& file_;
  Diagnostics& out_;
  Origins origins_;
  std::vector<Frame> frames_;
  std::vector<Unknown> unknown_;
  std::vector<std::string> all_keys_;
};

}  // namespace

Origins read(const Node& root, const Section& section, const Place& file, Diagnostics& diagnostics,
             const std::string& prefix) {
  Reader reader(file, diagnostics);
  reader.read_section(&root, root.place, prefix, section);
  return reader.finish();
}

}  // namespace ty::config
