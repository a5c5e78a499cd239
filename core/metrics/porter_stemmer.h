// Porter's algorithm of suffix stripping (M. F. Porter, An algorithm for suffix stripping, Program
// 14(3), 1980), in the variant of the NLTK library, whose stems the public ROUGE implementation
// counts. Where it departs from the paper is marked "NLTK" in the source.
#pragma once

#include <string>

namespace ty {

// The stem of a word of lower-case ASCII letters and digits (digits count as consonants).
std::string porter_stem(std::string word);

}  // namespace ty
