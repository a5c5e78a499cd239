// Name patterns of the job file: "blocks.*.mlp.*".
#pragma once

#include <string_view>

namespace ty {

// True if the whole name fits the pattern; '*' stands for any run of characters, dots included.
bool glob_match(std::string_view pattern, std::string_view name);

}  // namespace ty
