// tokenizer.json (and GPT-2's vocab.json with merges.txt): the parts of the Hugging Face format
// that our tokenizers need, and a clear refusal of the rest.
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/base/error.h"
#include "core/data/bpe.h"
#include "core/data/byte_level.h"
#include "core/data/char_tokenizer.h"
#include "core/io/file.h"
#include "core/io/json.h"

namespace ty {

namespace {

using Json = nlohmann::json;
constexpr std::uint64_t kMaxFile = std::uint64_t{256} << 20;

Json added_token(std::int32_t id) {
  return {{"id", id},        {"content", kEndOfText}, {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false},   {"special", true}};
}

Json file_of(std::optional<std::int32_t> end, Json pre_tokenizer, Json decoder, Json model) {
  Json added = Json::array();
  if (end) added.push_back(added_token(*end));
  return {{"version", "1.0"},          {"truncation", nullptr}, {"padding", nullptr},
          {"added_tokens", added},     {"normalizer", nullptr}, {"pre_tokenizer", pre_tokenizer},
          {"post_processor", nullptr}, {"decoder", decoder},    {"model", model}};
}

std::string spelled(std::string_view token) { return byte_level_spelling(token); }

std::string bytes_of_spelling(const std::string& spelling, const std::string& place) {
  const auto bytes = byte_level_bytes(spelling);
  if (!bytes) throw DataError("{}: token {} is not byte-level text", place, in_quotes(spelling));
  return *bytes;
}

// Vocabulary {spelling: id} and merges ["a b", ...] (or [["a", "b"], ...]) to a model.
BpeModel bpe_model(const Json& vocab, const Json& merges, std::optional<std::int32_t> end,
                   const std::string& place) {
  BpeModel model;
  model.end_of_text = end;
  std::int64_t largest = end.value_or(-1);
  for (const auto& [spelling, id] : vocab.items()) {
    if (!id.is_number_integer() || id.get<std::int64_t>() < 0 ||
        id.get<std::int64_t>() > (1 << 24)) {
      throw DataError("{}: id of token {} is {}; want 0 to {}", place, in_quotes(spelling),
                      id.dump(), 1 << 24);
    }
    largest = std::max(largest, id.get<std::int64_t>());
  }
  model.tokens.resize(static_cast<std::size_t>(largest + 1));
  model.byte_ids.fill(-1);
  std::unordered_map<std::string, std::int32_t> ids;
  for (const auto& [spelling, value] : vocab.items()) {
    const auto id = value.get<std::int32_t>();
    if (spelling == kEndOfText) {
      model.end_of_text = id;
      continue;
    }
    const std::string bytes = bytes_of_spelling(spelling, place);
    model.tokens[static_cast<std::size_t>(id)] = bytes;
    ids[spelling] = id;
    if (bytes.size() == 1) model.byte_ids[static_cast<unsigned char>(bytes[0])] = id;
  }
  if (model.end_of_text) model.tokens[static_cast<std::size_t>(*model.end_of_text)] = kEndOfText;
  for (std::size_t byte = 0; byte < 256; ++byte) {
    if (model.byte_ids[byte] < 0) throw DataError("{}: no token for the byte {:#04x}", place, byte);
  }
  for (const Json& merge : merges) {
    std::string left, right;
    if (merge.is_array() && merge.size() == 2) {
      left = merge[0].get<std::string>();
      right = merge[1].get<std::string>();
    } else {
      const auto text = merge.get<std::string>();
      const std::size_t space = text.find(' ');
      left = text.substr(0, space);
      right = space == std::string::npos ? "" : text.substr(space + 1);
    }
    if (!ids.contains(left) || !ids.contains(right)) {
      throw DataError("{}: merge {} {} names a token that is not in the vocabulary", place,
                      in_quotes(left), in_quotes(right));
    }
    model.merges.emplace_back(ids[left], ids[right]);
  }
  return model;
}

void refuse_unless(bool supported, const std::string& place, const char* key, const Json& value) {
  if (!supported) throw DataError("{}: {}: {} is not supported", place, key, value.dump());
}

std::unique_ptr<Tokenizer> from_json(const Json& file, const std::string& place) {
  std::optional<std::int32_t> end;
  for (const Json& token : file.value("added_tokens", Json::array())) {
    if (token.value("content", "") == kEndOfText) end = token.at("id").get<std::int32_t>();
  }
  const Json& model = file.at("model");
  const std::string type = model.value("type", "BPE");
  const Json pre = file.value("pre_tokenizer", Json());
  const std::string pre_type = pre.is_object() ? pre.value("type", "") : "";
  if (type == "WordLevel" && pre_type == "Split") {
    std::vector<std::string> characters(model.at("vocab").size());
    for (const auto& [text, id] : model.at("vocab").items()) {
      if (text == kEndOfText) continue;
      const auto position = id.get<std::size_t>();  // of a negative id: past the end
      if (position >= characters.size()) {
        throw DataError("{}: id {} leaves a gap; want 0 to {}", place, id.dump(),
                        characters.size() - 1);
      }
      characters[position] = text;
    }
    std::erase(characters, "");
    return std::make_unique<CharTokenizer>(std::move(characters));
  }
  refuse_unless(type == "BPE", place, "model.type", type);
  refuse_unless(pre_type == "ByteLevel" && !pre.value("add_prefix_space", false), place,
                "pre_tokenizer", pre);
  const Json normalizer = file.value("normalizer", Json());
  refuse_unless(normalizer.is_null(), place, "normalizer", normalizer);
  return std::make_unique<BpeTokenizer>(
      bpe_model(model.at("vocab"), model.at("merges"), end, place));
}

std::unique_ptr<Tokenizer> from_gpt2_files(const std::filesystem::path& directory) {
  const Path vocab_file = directory / "vocab.json", merges_file = directory / "merges.txt";
  const Json vocab = parse_json(read_text_file(vocab_file, kMaxFile), vocab_file.string());
  std::istringstream lines(read_text_file(merges_file, kMaxFile));
  Json merges = Json::array();
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && !line.starts_with("#version")) merges.push_back(line);
  }
  return std::make_unique<BpeTokenizer>(
      bpe_model(vocab, merges, std::nullopt, vocab_file.string()));
}

}  // namespace

std::string BpeTokenizer::to_json() const {
  const Json byte_level = {{"type", "ByteLevel"},
                           {"add_prefix_space", false},
                           {"trim_offsets", true},
                           {"use_regex", true}};
  Json vocab = Json::object(), merges = Json::array();
  for (std::size_t id = 0; id < model_.tokens.size(); ++id) {
    if (static_cast<std::int32_t>(id) == model_.end_of_text || model_.tokens[id].empty()) continue;
    vocab[spelled(model_.tokens[id])] = id;
  }
  for (const auto& [left, right] : model_.merges) {
    merges.push_back(spelled(bytes_of_id(left)) + " " + spelled(bytes_of_id(right)));
  }
  return file_of(model_.end_of_text, byte_level, byte_level,
                 {{"type", "BPE"},
                  {"dropout", nullptr},
                  {"unk_token", nullptr},
                  {"continuing_subword_prefix", nullptr},
                  {"end_of_word_suffix", nullptr},
                  {"fuse_unk", false},
                  {"byte_fallback", false},
                  {"vocab", vocab},
                  {"merges", merges}})
      .dump(1);
}

std::string CharTokenizer::to_json() const {
  Json vocab = Json::object();
  for (std::size_t id = 0; id < tokens_.size(); ++id) vocab[tokens_[id]] = id;
  return file_of(end_of_text(),
                 {{"type", "Split"},
                  {"pattern", {{"Regex", "(?s)."}}},
                  {"behavior", "Isolated"},
                  {"invert", false}},
                 {{"type", "Fuse"}},
                 {{"type", "WordLevel"}, {"vocab", vocab}, {"unk_token", kEndOfText}})
      .dump(1);
}

std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& directory) {
  const Path file = directory / "tokenizer.json";
  try {
    if (!std::filesystem::exists(file)) return from_gpt2_files(directory);
    return from_json(parse_json(read_text_file(file, kMaxFile), file.string()), file.string());
  } catch (const Json::exception& e) {
    throw DataError("{}: {}", file.string(), e.what());
  }
}

}  // namespace ty
