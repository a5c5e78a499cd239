// How tokenizers are written, and the form that their fingerprints are of. That form may never
// change for a tokenizer that is the same: runs and token files hold its fingerprint.
#include <algorithm>

#include "core/data/bpe.h"
#include "core/data/byte_level.h"
#include "core/data/char_tokenizer.h"
#include "core/data/tokenizer_json.h"

namespace ty {

namespace {

using Json = nlohmann::json;

Json added_token_json(const AddedToken& token) {
  return {{"id", token.id},          {"content", token.content}, {"single_word", token.single_word},
          {"lstrip", token.lstrip},  {"rstrip", token.rstrip},   {"normalized", token.normalized},
          {"special", token.special}};
}

// True if ids of added tokens are what the public library counts them to be when they are not in
// the vocabulary of the model: the numbers after it, in their order.
bool follow_the_others(const Vocabulary& vocabulary) {
  const std::int64_t texts = std::count_if(vocabulary.tokens.begin(), vocabulary.tokens.end(),
                                           [](const std::string& token) { return !token.empty(); });
  std::int64_t next = texts - std::ssize(vocabulary.added);
  return std::all_of(vocabulary.added.begin(), vocabulary.added.end(),
                     [&](const AddedToken& token) { return token.id == next++; });
}

// {spelling: id} of the tokens that are not added.
Json byte_level_vocab(const Vocabulary& vocabulary) {
  std::vector<bool> is_added(vocabulary.tokens.size());
  for (const AddedToken& token : vocabulary.added)
    is_added[static_cast<std::size_t>(token.id)] = true;
  Json vocab = Json::object();
  for (std::size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    const std::string& token = vocabulary.tokens[id];
    if (!token.empty() && !is_added[id]) vocab[byte_level_spelling(token)] = id;
  }
  return vocab;
}

}  // namespace

std::vector<AddedToken> found_alike(std::vector<AddedToken> tokens, bool has_normalizer) {
  std::sort(tokens.begin(), tokens.end(),
            [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
  const bool are_alike = std::all_of(tokens.begin(), tokens.end(), [&](const AddedToken& t) {
    return t.normalized == tokens[0].normalized;
  });
  for (AddedToken& token : tokens) {
    token.special = true;
    token.normalized = token.normalized && (has_normalizer || !are_alike);
  }
  return tokens;
}

std::string tokenizer_json(const std::vector<AddedToken>& added, const TokenizerJson& parts) {
  Json tokens = Json::array();
  for (const AddedToken& token : added) tokens.push_back(added_token_json(token));
  return Json({{"version", "1.0"},
               {"truncation", nullptr},
               {"padding", nullptr},
               {"added_tokens", tokens},
               {"normalizer", parts.normalizer},
               {"pre_tokenizer", parts.pre_tokenizer},
               {"post_processor", parts.post_processor},
               {"decoder", parts.decoder},
               {"model", parts.model}})
      .dump(1);
}

Json split_at_characters(const char* pattern) {
  return {{"type", "Split"},
          {"pattern", {{"Regex", pattern}}},
          {"behavior", "Isolated"},
          {"invert", false}};
}

std::string BpeTokenizer::json_with(const std::vector<AddedToken>& added, Json vocab,
                                    Json post_processor) const {
  const Json byte_level = {{"type", "ByteLevel"},
                           {"add_prefix_space", add_prefix_space_},
                           {"trim_offsets", true},
                           {"use_regex", true}};
  const auto spelled = [&](std::int32_t id) {
    return byte_level_spelling(vocabulary().tokens[static_cast<std::size_t>(id)]);
  };
  Json merges = Json::array();
  for (const Merge& merge : merges_) {
    merges.push_back(spelled(merge.left) + " " + spelled(merge.right));
  }
  Json model = {{"type", "BPE"},
                {"dropout", nullptr},
                {"unk_token", nullptr},
                {"continuing_subword_prefix", nullptr},
                {"end_of_word_suffix", nullptr},
                {"fuse_unk", false},
                {"byte_fallback", false},
                {"vocab", std::move(vocab)},
                {"merges", std::move(merges)}};
  if (!whole_words_.empty()) model["ignore_merges"] = true;
  return tokenizer_json(added, {.normalizer = nullptr,
                                .pre_tokenizer = byte_level,
                                .post_processor = std::move(post_processor),
                                .decoder = byte_level,
                                .model = std::move(model)});
}

std::string BpeTokenizer::definition() const {
  return json_with(found_alike(vocabulary().added), byte_level_vocab(vocabulary()), nullptr);
}

std::string BpeTokenizer::made_json() const {
  Json vocab = byte_level_vocab(vocabulary());
  if (!follow_the_others(vocabulary())) {
    for (const AddedToken& token : vocabulary().added) vocab[token.content] = token.id;
  }
  return json_with(vocabulary().added, std::move(vocab),
                   post_processor_of(templates(), vocabulary().tokens));
}

std::string CharTokenizer::json_with(const char* pattern) const {
  Json vocab = Json::object();
  const auto& tokens = vocabulary().tokens;
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    if (!tokens[id].empty()) vocab[tokens[id]] = id;
  }
  return tokenizer_json(
      vocabulary().added,
      {.normalizer = nullptr,
       .pre_tokenizer = split_at_characters(pattern),
       .post_processor = nullptr,
       .decoder = {{"type", "Fuse"}},
       .model = {{"type", "WordLevel"}, {"vocab", vocab}, {"unk_token", kEndOfText}}});
}

std::string CharTokenizer::definition() const { return json_with(kFormerCharacterPattern); }

std::string CharTokenizer::made_json() const { return json_with(kCharacterPattern); }

}  // namespace ty
