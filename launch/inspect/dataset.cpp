#include "launch/run/dataset.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/data/corpus.h"
#include "core/data/utf8.h"
#include "core/io/json.h"
#include "launch/inspect/inspection.h"
#include "launch/report/text.h"

namespace ty {

namespace {

constexpr std::int64_t kChunk = std::int64_t{1} << 20;
constexpr std::int64_t kShownTokens = 40;
constexpr std::size_t kShownBytes = 90;
constexpr std::int32_t kPublicEndOfText = 50256;

// The tokenizer that a token file was made with: the one asked for, or one that lies where a run
// directory or `data tokenize` puts it. One with another fingerprint is passed over.
std::unique_ptr<Tokenizer> tokenizer_near(const Path& file, const TokenFileInfo& info,
                                          const InspectOptions& options) {
  if (!options.tokenizer.empty()) return load_tokenizer(options.tokenizer);
  const Path here = file.has_parent_path() ? file.parent_path() : Path(".");
  for (const Path& directory : {here, here / "tokenizer", here / ".." / "tokenizer"}) {
    auto tokenizer = find_tokenizer(directory);
    if (tokenizer == nullptr) continue;
    if (info.tokenizer == 0 || info.tokenizer == tokenizer->fingerprint()) return tokenizer;
  }
  return nullptr;
}

struct IdCounts {
  std::int32_t largest = 0;
  std::int64_t first_of_largest = 0;  // its position
  std::int64_t ends = 0;
  std::int64_t documents = 0;  // runs of other ids between the ends of text
  // The first id that the tokenizer, if there is one, gives no text.
  std::optional<std::int32_t> without_text;
  std::int64_t first_without_text = 0;  // its position
};

IdCounts count_ids(const TokenFile& file, const Tokenizer* tokenizer,
                   std::optional<std::int32_t> end) {
  IdCounts counts;
  bool inside = false;
  std::vector<std::int32_t> ids;
  for (std::int64_t first = 0; first < file.size(); first += kChunk) {
    ids.resize(static_cast<std::size_t>(std::min(kChunk, file.size() - first)));
    file.copy(first, ids);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (ids[i] > counts.largest) {
        counts.largest = ids[i];
        counts.first_of_largest = first + static_cast<std::int64_t>(i);
      }
      if (tokenizer != nullptr && !counts.without_text && !tokenizer->has_text(ids[i])) {
        counts.without_text = ids[i];
        counts.first_without_text = first + static_cast<std::int64_t>(i);
      }
      const bool ends = end && ids[i] == *end;
      counts.ends += ends ? 1 : 0;
      counts.documents += !ends && !inside ? 1 : 0;
      inside = !ends;
    }
  }
  return counts;
}

void add_beginning(Inspection& result, std::string_view text) {
  const std::string_view start = text.substr(0, kShownBytes);
  result.facts["begins"] = start;
  result.line("begins", in_quotes(start) + (text.size() > kShownBytes ? "..." : ""));
}

void add_ids(Inspection& result, const TokenFile& file, const Tokenizer* tokenizer) {
  const TokenFileInfo& info = file.info();
  std::int64_t vocab = info.vocab;
  std::optional<std::int32_t> end;
  if (tokenizer != nullptr) {
    vocab = tokenizer->vocab_size();
    end = tokenizer->end_of_text();
  }
  IdCounts counts = count_ids(file, tokenizer, end);
  if (vocab > 0 && counts.largest >= vocab) {
    result.fault(fmt::format("{}: token {} at position {} is not below the vocabulary {}",
                             file.path().string(), counts.largest, counts.first_of_largest, vocab));
  }
  if (counts.without_text) {
    result.fault(fmt::format("{}: token {} at position {} has no text in this tokenizer",
                             file.path().string(), *counts.without_text,
                             counts.first_without_text));
  }
  // Shards of GPT-2's tokenizer do not say so, but no other id is as large.
  const bool as_public =
      tokenizer == nullptr && info.tokenizer == 0 && counts.largest == kPublicEndOfText;
  if (as_public) {
    end = kPublicEndOfText;
    counts = count_ids(file, tokenizer, end);
  }
  result.line("tokens", count_with_digits(file.size()));
  result.line("vocabulary", vocab > 0 ? fmt::format("{}, largest id {}", vocab, counts.largest)
                                      : fmt::format("not stated, largest id {}", counts.largest));
  result.facts.update({{"tokens", file.size()},
                       {"vocab", vocab > 0 ? nlohmann::json(vocab) : nlohmann::json()},
                       {"largest_id", counts.largest},
                       {"documents", nullptr},
                       {"end_of_text_count", nullptr}});
  if (!end) return;
  result.facts["documents"] = counts.documents;
  result.facts["end_of_text_count"] = counts.ends;
  result.line("documents",
              fmt::format("{}, {} end-of-text id{} ({}{})", counts.documents, counts.ends,
                          counts.ends == 1 ? "" : "s", *end, as_public ? ", as in GPT-2" : ""));
}

void add_source(Inspection& result, const TokenFile& file) {
  const auto bytes = static_cast<std::uint64_t>(std::filesystem::file_size(file.path()));
  result.facts["bytes"] = bytes;
  result.facts["bytes_per_id"] = file.bytes_per_id();
  result.line("size", fmt::format("{}, {} bytes per id", human_bytes(static_cast<double>(bytes)),
                                  file.bytes_per_id()));
  const std::int64_t source = file.info().source_bytes;
  result.facts["source_bytes"] = source > 0 ? nlohmann::json(source) : nlohmann::json();
  if (source > 0) {
    result.line(
        "made from",
        fmt::format("{} of text, {:.3f} bytes per token", human_bytes(static_cast<double>(source)),
                    static_cast<double>(source) / static_cast<double>(file.size())));
  }
}

void add_tokenizer(Inspection& result, const TokenFile& file, const Tokenizer* tokenizer) {
  const std::uint64_t wanted = file.info().tokenizer;
  result.facts["tokenizer"] = tokenizer != nullptr ? facts_of(*tokenizer) : nlohmann::json();
  if (tokenizer == nullptr) {
    result.line("tokenizer", wanted == 0
                                 ? "not stated, and none lies near; --tokenizer DIR names one"
                                 : fmt::format("fingerprint {:016x}; none of that lies near, "
                                               "--tokenizer DIR names one",
                                               wanted));
    return;
  }
  result.line("tokenizer", describe(*tokenizer));
  if (wanted != 0 && wanted != tokenizer->fingerprint()) {
    result.fault(
        fmt::format("{}: was made with tokenizer {:016x}, this one is {:016x}; give the one "
                    "it was made with",
                    file.path().string(), wanted, tokenizer->fingerprint()));
  }
  std::vector<std::int32_t> ids(static_cast<std::size_t>(std::min(kShownTokens, file.size())));
  file.copy(0, ids);
  add_beginning(result, tokenizer->decode(ids));
}

std::string_view format_of(const Path& file) {
  const std::string extension = lower_extension(file);
  if (extension == ".jsonl") return "jsonl";
  return extension == ".tsv" ? "tsv" : "plain";
}

}  // namespace

Inspection inspect_token_file(const Path& path, const InspectOptions& options) {
  Inspection result;
  try {
    const TokenFile file(path);
    file.check_ids(0);
    const auto tokenizer = tokenizer_near(path, file.info(), options);
    add_ids(result, file, tokenizer.get());
    add_source(result, file);
    add_tokenizer(result, file, tokenizer.get());
  } catch (const DataError& error) {
    result.fault(error.what());
  }
  return result;
}

Inspection inspect_text(const Path& path, const InspectOptions& options) {
  Inspection result;
  try {
    const std::vector<std::string> documents = read_text_documents(path, options.text);
    std::int64_t bytes = 0, broken = 0, longest = 0;
    for (const std::string& document : documents) {
      const auto size = static_cast<std::int64_t>(document.size());
      bytes += size;
      longest = std::max(longest, size);
      broken += valid_utf8_prefix(document) == document.size() ? 0 : 1;
    }
    const auto count = static_cast<std::int64_t>(documents.size());
    result.facts.update({{"format", format_of(path)},
                         {"documents", count},
                         {"bytes", std::filesystem::file_size(path)},
                         {"text_bytes", bytes},
                         {"longest_document_bytes", longest},
                         {"documents_not_utf8", broken}});
    result.line("format", format_of(path));
    result.line("documents", fmt::format("{}, the longest {}", count_with_digits(count),
                                         human_bytes(static_cast<double>(longest))));
    result.line(
        "text",
        fmt::format("{}, {}", human_bytes(static_cast<double>(bytes)),
                    broken == 0 ? "UTF-8" : fmt::format("{} documents are not UTF-8", broken)));
    if (!options.tokenizer.empty()) {
      const auto tokenizer = load_tokenizer(options.tokenizer);
      const auto tokens =
          static_cast<std::int64_t>(encode_documents(*tokenizer, documents).ids.size());
      result.facts["tokens"] = tokens;
      result.facts["tokenizer"] = facts_of(*tokenizer);
      result.line("tokenizer", describe(*tokenizer));
      result.line("tokens", fmt::format("{}, {:.3f} bytes per token", count_with_digits(tokens),
                                        static_cast<double>(bytes) / static_cast<double>(tokens)));
    }
    add_beginning(result, documents.front());
  } catch (const DataError& error) {
    result.fault(error.what());
  }
  return result;
}

}  // namespace ty
