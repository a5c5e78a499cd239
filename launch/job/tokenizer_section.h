// Section `tokenizer` of the job file: an existing tokenizer, or the kind to build from the
// training text.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "core/config/fields.h"
#include "core/data/tokenizer.h"

namespace ty {

struct TokenizerSection {
  std::filesystem::path from;         // a directory with tokenizer files
  std::optional<TokenizerKind> kind;  // without `from`; nothing: data is token ids already
  std::int64_t vocab = 1024;          // of bpe and wordpiece
  bool lowercase = true;              // of wordpiece

  bool learns_merges() const {
    return kind == TokenizerKind::bpe || kind == TokenizerKind::wordpiece;
  }
};

void fields(config::Fields& f, TokenizerSection& s);

}  // namespace ty
