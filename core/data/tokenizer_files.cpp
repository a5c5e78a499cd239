// The directory of a tokenizer: tokenizer.json, or GPT-2's vocab.json with merges.txt; and
// tokenizer_config.json, which may name the end of text.
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

TokenizerConfig read_config(const Path& directory) {
  const Path file = directory / "tokenizer_config.json";
  if (!is_there(file)) return {};
  TokenizerConfig config;
  config.text = read_text_file(file, kMaxFile);
  const Json json = parse_json(config.text, file.string());
  const JsonValue root = {json, file.string(), ""};
  if (root.object().value("add_prefix_space", Json()) == true) {
    root.at("add_prefix_space").refuse_as_unsupported("false");
  }
  const Json ending = json.value("eos_token", Json());  // a string or an added token
  const Json content = ending.is_object() ? ending.value("content", Json()) : ending;
  if (content.is_string()) config.ending = content.get<std::string>();
  return config;
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

std::unique_ptr<Tokenizer> load_vocab_and_merges(const Path& directory,
                                                 const TokenizerConfig& config) {
  if (const Path added = directory / "added_tokens.json"; is_there(added)) {
    throw DataError(
        "{}: is not supported beside vocab.json; want a tokenizer.json, which the "
        "transformers library writes",
        added.string());
  }
  const Path vocab_file = directory / "vocab.json", merges_file = directory / "merges.txt";
  const Json vocab = parse_json(read_text_file(vocab_file, kMaxFile), vocab_file.string());
  const Json merges = merge_lines(merges_file);
  return tokenizer_of_vocabulary({vocab, vocab_file.string(), ""},
                                 {merges, merges_file.string(), "merge"}, config);
}

}  // namespace

bool has_tokenizer_files(const std::filesystem::path& directory) {
  return is_there(directory / "tokenizer.json") || is_there(directory / "vocab.json");
}

std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& directory) {
  const TokenizerConfig config = read_config(directory);
  const Path file = directory / "tokenizer.json";
  return is_there(file) ? load_json(file, config) : load_vocab_and_merges(directory, config);
}

}  // namespace ty
