#include "core/config/print.h"

#include <algorithm>

namespace ty::config {
namespace {

class YamlPrinter final : public Fields {
 public:
  std::string take() { return std::move(out_); }

 private:
  void leaf(const Key& key, const Leaf& leaf) override { line(key.name, spelled(leaf)); }

  void section(const Key& key, const Section& section) override {
    if (!is_active()) return;
    start(key.name);
    if (in_item_) {
      item(section);
    } else {
      out_ += '\n';
      ++depth_;
      section.visit(*this);
      --depth_;
    }
  }

  void list(const Key& key, const SectionList& list) override {
    if (!is_active()) return;
    if (list.size() == 0 || in_item_) {
      start(key.name);
      out_ += in_item_ ? " [" : " []\n";
      for (std::size_t i = 0; in_item_ && i < list.size(); ++i) {
        if (i > 0) out_ += ',';
        item(list.item(i));
      }
      if (in_item_) out_ += ']';
      return;
    }
    start(key.name);
    out_ += '\n';
    for (std::size_t i = 0; i < list.size(); ++i) {
      out_.append(static_cast<std::size_t>(2 * depth_ + 2), ' ');
      out_ += '-';
      item(list.item(i));
      out_ += '\n';
    }
  }

  // " {a: 1, b: 2}"
  void item(const Section& section) {
    out_ += " {";
    const bool outer = std::exchange(in_item_, true);
    const bool outer_first = std::exchange(first_, true);
    section.visit(*this);
    in_item_ = outer;
    first_ = outer_first;
    out_ += '}';
  }

  void start(std::string_view name) {
    if (in_item_) {
      if (!first_) out_ += ", ";
      first_ = false;
    } else {
      out_.append(static_cast<std::size_t>(2 * depth_), ' ');
    }
    out_ += name;
    out_ += ':';
  }

  void line(std::string_view name, const std::string& value) {
    if (!is_active()) return;
    start(name);
    out_ += ' ' + value;
    if (!in_item_) out_ += '\n';
  }

  std::string out_ = "schema: 1\n";
  int depth_ = 0;
  bool in_item_ = false;  // inside of a list item, which is written on one line
  bool first_ = true;     // the first key of a list item
};

// Every active key with its value.
class FlatPrinter final : public Fields {
 public:
  std::vector<std::pair<std::string, std::string>> take() { return std::move(rows_); }

 private:
  void leaf(const Key& key, const Leaf& leaf) override {
    if (is_active()) rows_.emplace_back(prefix_ + std::string(key.name), spelled(leaf));
  }

  void section(const Key& key, const Section& section) override {
    if (is_active()) visit(std::string(key.name), section);
  }

  void list(const Key& key, const SectionList& list) override {
    if (!is_active()) return;
    for (std::size_t i = 0; i < list.size(); ++i) {
      visit(fmt::format("{}[{}]", key.name, i), list.item(i));
    }
    if (list.size() == 0) rows_.emplace_back(prefix_ + std::string(key.name), "[]");
  }

  void visit(const std::string& name, const Section& section) {
    const std::string outer = std::exchange(prefix_, prefix_ + name + ".");
    section.visit(*this);
    prefix_ = outer;
  }

  std::string prefix_;
  std::vector<std::pair<std::string, std::string>> rows_;
};

}  // namespace

std::string print_yaml(const Section& section) {
  YamlPrinter printer;
  section.visit(printer);
  return printer.take();
}

std::vector<std::pair<std::string, std::string>> flat_values(const Section& section) {
  FlatPrinter printer;
  section.visit(printer);
  return printer.take();
}

std::string print_origins(const Section& section, const Origins& origins) {
  std::vector<std::pair<std::string, std::string>> rows;
  std::size_t width = 0;
  for (const auto& [key, value] : flat_values(section)) {
    const auto stated = origins.find(key);
    const Place place = stated == origins.end() ? Place{} : stated->second;
    rows.emplace_back(fmt::format("{} = {}", key, value), place.str());
    width = std::max(width, rows.back().first.size());
  }
  std::string out;
  for (const auto& [text, place] : rows) out += fmt::format("{:<{}}  {}\n", text, width, place);
  return out;
}

}  // namespace ty::config
