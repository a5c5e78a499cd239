// Reads the small, strict subset of YAML that job files use into a tree.
//
// Besides what the parser library rejects, these are errors: duplicate keys, a second document,
// anchors, aliases, merge keys, tags, tabs and other control characters, a byte-order mark, text
// that is not UTF-8, more than 1 MiB, nesting deeper than 32.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "core/config/diagnostics.h"
#include "core/config/node.h"

namespace ty::config {

inline constexpr std::size_t kMaxFileBytes = 1 << 20;
inline constexpr int kMaxDepth = 32;

// The tree of `text`, or nothing if there is no sensible tree; errors are added to `diagnostics`
// (even when a tree is returned). Never prints, and never throws for bad text.
std::optional<Node> parse_yaml(std::string_view text, const std::shared_ptr<const Source>& source,
                               Diagnostics& diagnostics);

// The value of a command-line override `key=text`; every node gets the place `place`.
std::optional<Node> parse_value(std::string_view text, const Place& place, std::string_view key,
                                Diagnostics& diagnostics);

}  // namespace ty::config
