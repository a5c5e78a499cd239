#include "core/data/tokenizer_config.h"

#include <algorithm>

#include "core/io/file.h"
#include "core/io/json.h"

namespace ty {

namespace {

using Json = nlohmann::json;
using Path = std::filesystem::path;

constexpr std::uint64_t kMostConfig = std::uint64_t{64} << 20;

struct UsualName {
  std::string_view content;
  std::optional<std::int32_t> SpecialTokens::*id;
};
// Of two for one role the first that is there counts.
constexpr UsualName kUsualNames[] = {
    {kEndOfText, &SpecialTokens::eos}, {kEndOfText, &SpecialTokens::bos},
    {"<s>", &SpecialTokens::bos},      {"<s>", &SpecialTokens::cls},
    {"</s>", &SpecialTokens::eos},     {"</s>", &SpecialTokens::sep},
    {"<pad>", &SpecialTokens::pad},    {"<unk>", &SpecialTokens::unk},
    {"<mask>", &SpecialTokens::mask},  {"[PAD]", &SpecialTokens::pad},
    {"[UNK]", &SpecialTokens::unk},    {"[CLS]", &SpecialTokens::cls},
    {"[SEP]", &SpecialTokens::sep},    {"[MASK]", &SpecialTokens::mask},
};

// The text of a file; empty if there is none.
std::string text_or_nothing(const Path& file) {
  std::error_code error;
  if (!std::filesystem::exists(std::filesystem::symlink_status(file, error))) return {};
  return read_text_file(file, kMostConfig);
}

Json object_of(const std::string& text, const Path& file) {
  if (text.empty()) return Json::object();
  const Json json = parse_json(text, file.string());
  return JsonValue{json, file.string(), ""}.object();
}

bool flag_of(const JsonValue& token, const char* key) {
  const Json value = token.json.value(key, Json(false));
  if (!value.is_boolean()) token.at(key).refuse("true or false");
  return value.get<bool>();
}

std::optional<std::int32_t> find_added(const Vocabulary& vocabulary, std::string_view content) {
  for (const AddedToken& token : vocabulary.added) {
    if (token.content == content) return token.id;
  }
  return std::nullopt;
}

std::optional<std::int32_t> find_named(Vocabulary& vocabulary, const TokenIds& ids,
                                       AddedToken token) {
  if (const auto id = find_added(vocabulary, token.content)) return id;
  const auto found = ids.find(token.content);
  if (found == ids.end()) return std::nullopt;
  token.id = found->second;
  vocabulary.added.push_back(std::move(token));
  return found->second;
}

}  // namespace

TokenizerFiles TokenizerConfig::files_with(std::string definition) const {
  TokenizerFiles all = files;
  all.definition = std::move(definition);
  return all;
}

std::string TokenizerConfig::tokenizer_class() const {
  const Json name = json.value("tokenizer_class", Json());
  return name.is_string() ? name.get<std::string>() : std::string();
}

std::optional<bool> TokenizerConfig::flag(const std::string& key) const {
  const Json value = json.value(key, Json());
  if (value.is_null()) return std::nullopt;
  if (!value.is_boolean()) root().at(key).refuse("true or false");
  return value.get<bool>();
}

std::optional<AddedToken> TokenizerConfig::token(const std::string& role) const {
  const Json value = json.value(role, Json());
  if (value.is_null()) return std::nullopt;
  const JsonValue said = root().at(role);
  AddedToken token;
  if (value.is_string()) {
    token.content = value.get<std::string>();
  } else {
    token.content = said.at("content").string();
    token.single_word = flag_of(said, "single_word");
    token.lstrip = flag_of(said, "lstrip");
    token.rstrip = flag_of(said, "rstrip");
    token.normalized = flag_of(said, "normalized");
  }
  return token.content.empty() ? std::nullopt : std::optional(token);
}

void TokenizerConfig::propose(std::string_view role, const Json& token) {
  const std::string key(role);
  if (json.value(key, Json()).is_null()) json[key] = token;
}

TokenizerConfig read_tokenizer_config(const Path& directory) {
  const Path file = directory / "tokenizer_config.json",
             map = directory / "special_tokens_map.json";
  TokenizerConfig config;
  config.file = file.string();
  config.files.config = text_or_nothing(file);
  config.files.special_map = text_or_nothing(map);
  config.json = object_of(config.files.config, file);
  const Json named = object_of(config.files.special_map, map);
  for (const auto& [key, token] : named.items()) {
    config.propose(key, token);
  }
  return config;
}

void find_special_tokens(Vocabulary& vocabulary, const TokenIds& ids,
                         const TokenizerConfig& config) {
  SpecialTokens& special = vocabulary.special;
  for (const SpecialTokenRole& role : kSpecialTokenRoles) {
    const auto token = config.token(std::string(role.key));
    if (token) special.*role.id = find_named(vocabulary, ids, *token);
  }
  for (const UsualName& usual : kUsualNames) {
    if (!(special.*usual.id)) special.*usual.id = find_added(vocabulary, usual.content);
  }
  vocabulary.end_of_text = special.eos ? special.eos : special.sep;
}

}  // namespace ty
