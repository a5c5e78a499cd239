// The directory of a tokenizer: tokenizer.json, or GPT-2's vocab.json with merges.txt, or BERT's
// vocab.txt; and what stands beside them.
#include <sstream>

#include "core/base/error.h"
#include "core/data/tokenizer_json.h"
#include "core/io/file.h"
#include "core/io/json.h"

namespace ty {

namespace {

using Json = nlohmann::json;
constexpr std::uint64_t kMaxFile = std::uint64_t{256} << 20;

// Also true for links that lead nowhere: reading says what is wrong with them.
bool is_there(const Path& path) {
  std::error_code error;
  return std::filesystem::exists(std::filesystem::symlink_status(path, error));
}

std::unique_ptr<Tokenizer> load_json(const Path& file, const TokenizerConfig& config) {
  std::string text = read_text_file(file, kMaxFile);
  const Json json = parse_json(text, file.string());
  return tokenizer_of({json, file.string(), ""}, std::move(text), config);
}

Json merge_lines(const Path& file) {
  std::istringstream lines(read_text_file(file, kMaxFile));
  Json merges = Json::array();
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty() && !line.starts_with("#version")) merges.push_back(line);
  }
  return merges;
}

void refuse_added_tokens_file(const Path& directory, std::string_view beside) {
  const Path added = directory / "added_tokens.json";
  if (!is_there(added)) return;
  throw DataError(
      "{}: is not supported beside {}; want a tokenizer.json, which the transformers library "
      "writes",
      added.string(), beside);
}

std::unique_ptr<Tokenizer> load_vocab_and_merges(const Path& directory,
                                                 const TokenizerConfig& config) {
  refuse_added_tokens_file(directory, "vocab.json");
  const Path vocab_file = directory / "vocab.json", merges_file = directory / "merges.txt";
  const Json vocab = parse_json(read_text_file(vocab_file, kMaxFile), vocab_file.string());
  const Json merges = merge_lines(merges_file);
  return tokenizer_of_vocabulary({vocab, vocab_file.string(), ""},
                                 {merges, merges_file.string(), "merge"}, config);
}

}  // namespace

bool has_tokenizer_files(const std::filesystem::path& directory) {
  return is_there(directory / "tokenizer.json") || is_there(directory / "vocab.json") ||
         is_there(directory / "vocab.txt");
}

std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& directory) {
  const TokenizerConfig config = read_tokenizer_config(directory);
  const Path file = directory / "tokenizer.json", lines = directory / "vocab.txt";
  if (is_there(file)) return load_json(file, config);
  if (is_there(directory / "vocab.json") || !is_there(lines)) {
    return load_vocab_and_merges(directory, config);
  }
  refuse_added_tokens_file(directory, "vocab.txt");
  return tokenizer_of_lines(read_text_file(lines, kMaxFile), lines.string(), config);
}

}  // namespace ty
