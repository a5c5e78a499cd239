#include "core/config/node.h"

#include <fmt/format.h>

#include <tuple>
#include <unordered_map>

namespace ty::config {

std::string Place::str() const {
  if (!source) return "default";
  return line > 0 ? fmt::format("{}:{}:{}", source->name, line, column) : source->name;
}

bool Place::comes_before(const Place& other) const {
  const auto position = [](const Place& p) {
    return std::tuple(p.source ? p.source->order : -1, p.line, p.column);
  };
  return position(*this) < position(other);
}

const Entry* Node::find(std::string_view key) const {
  for (const Entry& entry : entries) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

void merge(Node& base, Node over) {
  if (base.kind != Node::Kind::map || over.kind != Node::Kind::map) {
    base = std::move(over);
    return;
  }
  // A map that an override only reaches through keeps its place in a file.
  if (over.place.line > 0) base.place = over.place;
  std::unordered_map<std::string, std::size_t> index;  // files are not trusted to be small
  for (std::size_t i = 0; i < base.entries.size(); ++i) index.emplace(base.entries[i].key, i);
  for (Entry& entry : over.entries) {
    const auto found = index.find(entry.key);
    if (found == index.end()) {
      base.entries.push_back(std::move(entry));
      continue;
    }
    Entry& existing = base.entries[found->second];
    if (entry.place.line > 0 || entry.value.kind != Node::Kind::map) existing.place = entry.place;
    merge(existing.value, std::move(entry.value));
  }
}

}  // namespace ty::config
