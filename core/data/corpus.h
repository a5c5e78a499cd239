// From a text file to a token file: documents are read, cut into pieces, encoded on all cores, and
// joined in order with the end-of-text id between documents.
#pragma once

#include <functional>

#include "core/data/text_source.h"
#include "core/data/token_file.h"
#include "core/data/tokenizer.h"

namespace ty {

// Called from time to time, from one thread, with the bytes of text done and the total; the last
// call reports completion.
using CorpusProgress = std::function<void(std::int64_t done, std::int64_t all)>;

struct EncodedText {
  std::vector<std::int32_t> ids;
  std::int64_t documents = 0;
  std::int64_t bytes = 0;  // of text, without the markup around it in the file
};

// The ids of the documents, independent of the number of threads. Throws DataError if a character
// has no id.
EncodedText encode_documents(const Tokenizer& tokenizer, std::span<const std::string> documents,
                             const CorpusProgress& progress = {});

// What the ids of a text depend on: its bytes, how documents are extracted from it, and the
// tokenizer.
struct TextIdentity {
  std::uint64_t source_hash = 0, reader = 0, tokenizer = 0;
  friend bool operator==(const TextIdentity&, const TextIdentity&) = default;
};
TextIdentity identity_of(const Path& text, const TextOptions& options, const Tokenizer& tokenizer);
TextIdentity identity_of(const TokenFileInfo& info);

// Ids of a text file, not yet written.
struct TextTokens {
  EncodedText encoded;
  TokenFileInfo info;  // for the header of their token file
};
TextTokens tokenize_text(const Path& text, const Tokenizer& tokenizer, const TextOptions& options,
                         const CorpusProgress& progress = {});

}  // namespace ty
