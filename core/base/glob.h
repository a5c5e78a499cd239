// Name patterns of the job file: "blocks.*.mlp.*", "blocks.{0..16}.mlp.*".
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace ty {

// True if the pattern matches the whole name. '*' stands for any run of characters, dots included;
// {A..B} for a whole number from A to B, both included.
bool glob_match(std::string_view pattern, std::string_view name);

// True if one of the patterns does.
bool matches_any(std::span<const std::string> patterns, std::string_view name);

// True if the pattern has no wildcards: it matches only the name spelled the same way.
bool is_plain_name(std::string_view pattern);

}  // namespace ty
