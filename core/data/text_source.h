// Reads the documents of a text file, by its extension.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/data/text_lines.h"

namespace ty {

// Whether the first line of a .tsv file names its columns; automatic: see has_header() in the
// source.
enum class TsvHeader : std::uint8_t { automatic, present, absent };

struct TextOptions {
  std::string json_key = "text";  // of each object of a .jsonl file
  std::int64_t tsv_column = 0;    // of a .tsv file
  TsvHeader tsv_header = TsvHeader::automatic;
  // Receives, in one line, what was decided from the content of a file.
  std::function<void(const std::string& note)> note = {};
};

// .jsonl: one document per line; .tsv: one per row; anything else: the whole file is one. Texts are
// UTF-8 or marked as UTF-16 or UTF-32 (text_encoding.h). Throws DataError `file:line: what is
// wrong`, also for a file without text or of another kind.
std::vector<std::string> read_text_documents(const std::filesystem::path& file,
                                             const TextOptions& options);

// Equal for options that read the same documents from this file; 0 if no option affects it.
std::uint64_t fingerprint_of(const TextOptions& options, const std::filesystem::path& file);

}  // namespace ty
