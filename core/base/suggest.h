// "Did you mean": the known names closest to one that was not found.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ty {

// Up to `most` of the candidates that are plausible misspellings of `wanted`, closest first, then
// in the order given. The distance counts insertions, deletions, substitutions and swaps of
// neighbouring characters.
std::vector<std::string> near_names(std::string_view wanted,
                                    std::span<const std::string> candidates, std::size_t most = 3);

// ` (did you mean "ttm"?)`, ` (did you mean "a" or "b"?)`, or "": for the end of an error message.
std::string did_you_mean(std::string_view wanted, std::span<const std::string> candidates);

}  // namespace ty
