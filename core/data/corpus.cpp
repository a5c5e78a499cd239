#include "core/data/corpus.h"

#include <omp.h>

#include <atomic>
#include <exception>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/base/error.h"

namespace ty {

namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 18;

std::uint64_t hash_of(const Path& path) {
  const MappedFile file(path);
  return XXH3_64bits(file.bytes().data(), file.bytes().size());
}

struct Part {
  std::string_view text;
  bool ends_document = false;
  std::vector<std::int32_t> ids;
};

std::vector<Part> parts_of(const Tokenizer& tokenizer, std::span<const std::string> documents) {
  std::vector<Part> parts;
  for (const std::string& document : documents) {
    if (document.empty()) {
      parts.emplace_back();
    } else {
      for (std::string_view piece : tokenizer.pieces(document, kPieceBytes)) {
        parts.push_back({.text = piece, .ends_document = false, .ids = {}});
      }
    }
    parts.back().ends_document = true;
  }
  return parts;
}

}  // namespace

EncodedText encode_documents(const Tokenizer& tokenizer, std::span<const std::string> documents,
                             const CorpusProgress& progress) {
  EncodedText result;
  result.documents = static_cast<std::int64_t>(documents.size());
  for (const std::string& document : documents) {
    result.bytes += static_cast<std::int64_t>(document.size());
  }
  std::vector<Part> parts = parts_of(tokenizer, documents);
  std::atomic<std::int64_t> done = 0;
  std::exception_ptr error;
#pragma omp parallel for schedule(dynamic)
  for (std::size_t i = 0; i < parts.size(); ++i) {
    try {
      parts[i].ids = tokenizer.encode(parts[i].text);
      done += static_cast<std::int64_t>(parts[i].text.size());
      if (progress && omp_get_thread_num() == 0) progress(done, result.bytes);
    } catch (...) {  // must not leave the loop
#pragma omp critical
      if (error == nullptr) error = std::current_exception();
    }
  }
  if (error != nullptr) std::rethrow_exception(error);
  if (progress) progress(done, result.bytes);

  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::vector<std::int32_t> ids = std::move(parts[i].ids);
    result.ids.insert(result.ids.end(), ids.begin(), ids.end());
    const bool between = parts[i].ends_document && i + 1 < parts.size();
    if (between && tokenizer.end_of_text()) result.ids.push_back(*tokenizer.end_of_text());
  }
  return result;
}

TextIdentity identity_of(const Path& text, const TextOptions& options, const Tokenizer& tokenizer) {
  return {hash_of(text), fingerprint_of(options, text), tokenizer.fingerprint()};
}

TextIdentity identity_of(const TokenFileInfo& info) {
  return {info.source_hash, info.reader, info.tokenizer};
}

TextTokens tokenize_text(const Path& text, const Tokenizer& tokenizer, const TextOptions& options,
                         const CorpusProgress& progress) {
  const TextIdentity identity = identity_of(text, options, tokenizer);
  const std::vector<std::string> documents = read_text_documents(text, options);
  TextTokens tokens;
  try {
    tokens.encoded = encode_documents(tokenizer, documents, progress);
  } catch (const DataError& error) {
    throw DataError("{}: {}", text.string(), error.what());
  }
  tokens.info = {.count = 0,
                 .vocab = tokenizer.vocab_size(),
                 .source_bytes = tokens.encoded.bytes,
                 .tokenizer = identity.tokenizer,
                 .source_hash = identity.source_hash,
                 .reader = identity.reader,
                 .ids_hash = 0};
  return tokens;
}

}  // namespace ty
