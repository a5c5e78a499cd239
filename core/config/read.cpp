#include "core/config/read.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "core/base/suggest.h"

namespace ty::config {
namespace {

// A parsed scalar, or a hint on what may have been meant.
struct Parsed {
  std::optional<Scalar> value;
  std::string hint;
};

template <class T>
std::optional<T> number_from(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// -?(0|[1-9][0-9]*)(.[0-9]*)?(e[+-]?[0-9]+)?: JSON's numbers, and "1.".
bool has_leading_zero(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9';
}

bool looks_like_a_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text[0] >= '0' && text[0] <= '9' &&
         text.find_first_not_of("0123456789.eE+-") == std::string_view::npos;
}

std::string suggestion(std::string_view word) { return fmt::format(" (did you mean {}?)", word); }

Parsed parse_boolean(std::string_view text) {
  if (text == "true" || text == "false") return {text == "true", ""};
  for (const char* word : {"yes", "Yes", "YES", "on", "On", "ON", "True", "TRUE", "1"}) {
    if (text == word) return {std::nullopt, suggestion("true")};
  }
  for (const char* word : {"no", "No", "NO", "off", "Off", "OFF", "False", "FALSE", "0"}) {
    if (text == word) return {std::nullopt, suggestion("false")};
  }
  return {};
}

Parsed parse_integer(std::string_view text) {
  if (has_leading_zero(text)) return {std::nullopt, ", without leading zeros"};
  if (looks_like_a_number(text)) {
    if (const auto value = number_from<std::int64_t>(text)) return {*value, ""};
    if (text.find_first_of(".eE") == std::string_view::npos) {
      return {std::nullopt, " that fits into 64 bits"};
    }
  }
  // 1e3, 2.0, 1_000 and 1,000 have an obvious integer.
  std::string digits(text);
  std::erase_if(digits, [](char c) { return c == '_' || c == ','; });
  const auto value = looks_like_a_number(digits) ? number_from<double>(digits) : std::nullopt;
  if (value && *value == std::floor(*value) && std::abs(*value) < 1e15) {
    return {std::nullopt, suggestion(fmt::format("{}", static_cast<std::int64_t>(*value)))};
  }
  return {};
}

Parsed parse_number(std::string_view text) {
  if (has_leading_zero(text)) return {std::nullopt, ", without leading zeros"};
  if (!looks_like_a_number(text)) return {};
  const auto value = number_from<double>(text);
  if (!value) return {std::nullopt, " that a double can hold"};
  return {*value, ""};
}

Parsed parse_path(const Node& node) {
  if (node.text.empty()) return {};
  std::filesystem::path path = node.text;
  if (path.is_relative() && node.place.source) path = node.place.source->directory / path;
  path = path.lexically_normal();
  if (!path.has_filename()) path = path.parent_path();  // no trailing slash
  return {path.string(), ""};
}

Parsed parse_scalar(const Node& node, ScalarKind kind, const Rule& rule) {
  const bool is_text = kind == ScalarKind::string || kind == ScalarKind::path;
  if (node.quoted && !is_text) return {std::nullopt, ", without quotes"};
  switch (kind) {
    case ScalarKind::boolean:
      return parse_boolean(node.text);
    case ScalarKind::integer:
      return parse_integer(node.text);
    case ScalarKind::number:
      return parse_number(node.text);
    case ScalarKind::path:
      return parse_path(node);
    case ScalarKind::string:
      break;
  }
  const auto& any = rule.choices;
  if (any.empty() || std::find(any.begin(), any.end(), node.text) != any.end()) {
    return {node.text, ""};
  }
  return {std::nullopt, did_you_mean(node.text, any)};
}

bool within(const Scalar& scalar, const Rule& rule) {
  if (const auto* i = std::get_if<std::int64_t>(&scalar)) {
    return rule.allows(static_cast<double>(*i));
  }
  if (const auto* d = std::get_if<double>(&scalar)) return rule.allows(*d);
  return true;
}

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
  Reader(const Place& file, Diagnostics& diagnostics) : file_(file), out_(diagnostics) {}

  void read_section(const Node* map, const Place& place, const std::string& prefix,
                    const Section& section) {
    const std::size_t errors_before = errors();
    frames_.push_back({map, place, prefix, {}, {}});
    section.visit(*this);
    reject_undeclared();
    frames_.pop_back();
    if (errors() > errors_before || !section.check) return;
    Checks checks(prefix, origins_, file_, out_);
    section.check(checks);
  }

  Origins finish() {
    for (const Unknown& unknown : unknown_) report(unknown);
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
    std::vector<std::string> known;
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
    all_keys_.push_back(dotted(frame.prefix, key.name));
    if (!active || frame.map == nullptr) return nullptr;
    const Entry* entry = frame.map->find(key.name);
    return entry;
  }

  void fail(const Place& place, const std::string& key, std::string_view message) {
    out_.add(place, key, message);
  }

  void leaf(const Key& key, const Leaf& leaf) override {
    const Entry* entry = declare(key);
    Frame& frame = frames_.back();
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
    for (const Entry& entry : frame.map->entries) {
      const Declared* inactive = nullptr;
      bool claimed = false;
      for (const Declared& declared : frame.declared) {
        if (declared.name != entry.key) continue;
        claimed = claimed || declared.active;
        inactive = &declared;
      }
      if (claimed) continue;
      if (inactive != nullptr) {
        reject_inactive(frame, entry, *inactive);
      } else {
        Unknown unknown{entry.place, frame.prefix, entry.key, {}};
        for (const Declared& declared : frame.declared) {
          auto& known = unknown.known;
          const bool is_new = std::find(known.begin(), known.end(), declared.name) == known.end();
          if (declared.active && is_new) known.push_back(declared.name);
        }
        unknown_.push_back(std::move(unknown));
      }
    }
  }

  void reject_inactive(const Frame& frame, const Entry& entry, const Declared& declared) {
    const auto& bad = frame.bad;
    if (std::find(bad.begin(), bad.end(), declared.selector) != bad.end()) return;
    const auto selector = origins_.find(dotted(frame.prefix, declared.selector));
    const int selector_layer = selector == origins_.end() ? -1 : selector->second.layer();
    if (entry.place.layer() < selector_layer) return;
    fail(
        entry.place, dotted(frame.prefix, entry.key),
        fmt::format("only used {}; remove it or change {}", declared.condition, declared.selector));
  }

  void report(const Unknown& unknown) {
    std::string hint = did_you_mean(unknown.name, unknown.known);
    if (hint.empty()) {
      // The same name in another section.
      for (const std::string& key : all_keys_) {
        if (key.ends_with("." + unknown.name) && key.find('[') == std::string::npos) {
          hint = fmt::format(" (did you mean \"{}\"?)", key);
          break;
        }
      }
    }
    out_.add(unknown.place, dotted(unknown.prefix, shown(unknown.name, false)),
             fmt::format("unknown key; known: {}{}", joined(unknown.known), hint));
  }

  const Place& file_;
  Diagnostics& out_;
  Origins origins_;
  std::vector<Frame> frames_;
  std::vector<Unknown> unknown_;
  std::vector<std::string> all_keys_;
};

}  // namespace

Origins read(const Node& root, const Section& section, const Place& file,
             Diagnostics& diagnostics) {
  Reader reader(file, diagnostics);
  reader.read_section(&root, root.place, "", section);
  return reader.finish();
}

}  // namespace ty::config
