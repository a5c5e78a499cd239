#include "core/config/node.h"

#include <fmt/format.h>

namespace ty::config {

std::string Place::str() const {
  if (!source) return "default";
  return line > 0 ? fmt::format("{}:{}:{}", source->name, line, column) : source->name;
}

const Entry* Node::find(std::string_view key) const {
  for (const Entry& entry : entries) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

Entry* Node::find(std::string_view key) {
  return const_cast<Entry*>(static_cast<const Node*>(this)->find(key));
}

void merge(Node& base, Node over) {
  if (base.kind != Node::Kind::map || over.kind != Node::Kind::map) {
    base = std::move(over);
    return;
  }
  // A map that an override only reaches through keeps its place in a file.
  if (over.place.line > 0) base.place = over.place;
  for (Entry& entry : over.entries) {
    if (Entry* existing = base.find(entry.key)) {
      if (entry.place.line > 0 || entry.value.kind != Node::Kind::map) {
        existing->place = entry.place;
      }
      merge(existing->value, std::move(entry.value));
    } else {
      base.entries.push_back(std::move(entry));
    }
  }
}

}  // namespace ty::config
