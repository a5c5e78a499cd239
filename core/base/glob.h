// Name patterns of the job file: "blocks.*.mlp.*", "blocks.{0..16}.mlp.*".
#pragma once

#include <string_view>

namespace ty {

// True if the whole name fits the pattern. '*' stands for any run of characters, dots included;
// {A..B} for a whole number from A to B, both included.
bool glob_match(std::string_view pattern, std::string_view name);

// True if only the name that is spelled like the pattern can fit it.
bool is_plain_name(std::string_view pattern);

}  // namespace ty
