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

// Encodes a text file into a token file that knows its source and tokenizer. Returns what it wrote.
EncodedText make_token_file(const Path& text, const Path& target, const Tokenizer& tokenizer,
                            const TextOptions& options, const CorpusProgress& progress = {});

// True if `target` is a token file of this very text and tokenizer.
bool is_token_file_of(const Path& target, const Path& text, const Tokenizer& tokenizer);

}  // namespace ty
