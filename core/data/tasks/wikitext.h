// WikiText in its raw files (S. Merity et al., Pointer Sentinel Mixture Models, 2016).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace ty {

struct WikiText {
  // One text per article, with its heading ` = Title = `; joined, they are the file.
  std::vector<std::string> articles;
  std::int64_t words = 0;  // runs of anything but white space
  std::int64_t lines = 0;
  // What perplexity per word is usually counted over: the end of each line is a word too.
  std::int64_t words_and_line_ends() const { return words + lines; }
};

// An article begins at a line ` = Title = ` between blank lines; ` = = Section = = ` begins none,
// and what stands before the first heading belongs to the first article. Throws DataError if the
// file is no text or has no such heading.
WikiText read_wikitext(const std::filesystem::path& file);

}  // namespace ty
