// From a text file to a token file: documents are read, cut into pieces, encoded on all cores, and
// joined in their order with the end-of-text id between documents.
#pragma once

#include <functional>

#include "core/data/text_source.h"
#include "core/data/token_file.h"
#include "core/data/tokenizer.h"

namespace ty {

// Called now and then, from one thread, with the bytes of text done and the bytes of all; the last
// time with all done.
using CorpusProgress = std::function<void(std::int64_t done, std::int64_t all)>;

struct EncodedText {
  std::vector<std::int32_t> ids;
  std::int64_t documents = 0;
  std::int64_t bytes = 0;  // of text, without what the file holds around it
};

// Ids of documents, the same for any number of threads. Throws DataError if a character has no id.
EncodedText encode_documents(const Tokenizer& tokenizer, std::span<const std::string> documents,
                             const CorpusProgress& progress = {});

// What ids of a text depend on: the text's bytes, how documents are taken from it, and the
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
  TokenFileInfo info;  // what a file of them will say
};
TextTokens tokenize_text(const Path& text, const Tokenizer& tokenizer, const TextOptions& options,
                         const CorpusProgress& progress = {});

}  // namespace ty
