// Reading text: the documents of a file, by its extension.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace ty {

struct TextOptions {
  std::string json_key = "text";  // of each object of a .jsonl file
  std::int64_t tsv_column = 0;    // of a .tsv file, whose first line is a header
};

// .jsonl: one document per line; .tsv: one per row; anything else: the whole file is one. Bytes are
// kept as they are. Throws DataError `file:line: what is wrong`, also for a file without text.
std::vector<std::string> read_text_documents(const std::filesystem::path& file,
                                             const TextOptions& options);

// Equal for options that take the same documents from this file; 0 where they play no part.
std::uint64_t fingerprint_of(const TextOptions& options, const std::filesystem::path& file);

}  // namespace ty
