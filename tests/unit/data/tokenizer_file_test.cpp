#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/data/tokenizer.h"
#include "core/io/file.h"
#include "tests/support/messages.h"
#include "tests/support/temp_dir.h"

namespace ty::test {
namespace {

using Json = nlohmann::json;
using Ids = std::vector<std::int32_t>;

class TokenizerFile : public testing::Test {
 protected:
  TempDir temp_;

  static Json bytes() {
    return Json::parse(make_tokenizer({TokenizerKind::bytes, 0}, {})->to_json());
  }
  static Json chars() {
    const std::string_view text = "ab";
    return Json::parse(make_tokenizer({TokenizerKind::chars, 0}, std::span(&text, 1))->to_json());
  }
  static Json added(std::int64_t id, const std::string& content) {
    return {{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
            {"rstrip", false}, {"normalized", false}, {"special", false}};
  }
  // Bytes, and the token "ab" of a merge.
  static Json merging() {
    Json file = bytes();
    file["added_tokens"] = Json::array();
    file["model"]["vocab"]["ab"] = 256;
    file["model"]["merges"] = {"a b"};
    return file;
  }

  void write(const std::string& name, const std::string& text) {
    std::ofstream(temp_ / name, std::ios::binary) << text;
  }
  std::unique_ptr<Tokenizer> load(const Json& file) {
    write("tokenizer.json", file.dump());
    return load_tokenizer(temp_.path());
  }
  std::string refusal(const Json& file) {
    write("tokenizer.json", file.dump());
    return message_of<DataError>([&] { load_tokenizer(temp_.path()); });
  }
};

TEST_F(TokenizerFile, AddedTokensAreHonoured) {
  Json file = bytes();
  file["added_tokens"].push_back(added(257, "two words"));
  file["added_tokens"].push_back(added(258, "<mask>"));
  file["added_tokens"][2]["lstrip"] = true;
  const auto tokenizer = load(file);
  EXPECT_EQ(tokenizer->encode("atwo wordsb"), (Ids{97, 257, 98}));
  EXPECT_EQ(tokenizer->encode("x  <mask> y"), (Ids{120, 258, 32, 121}));
  EXPECT_EQ(tokenizer->decode(Ids{97, 257, 258, 256}), "atwo words<mask><|endoftext|>");
  EXPECT_EQ(tokenizer->vocab_size(), 259);
  EXPECT_EQ(tokenizer->end_of_text(), 256);
}

TEST_F(TokenizerFile, OnlyAddedTokensAreFound) {
  Json file = bytes();
  file["model"]["vocab"]["<|endoftext|>"] = 256;
  file["added_tokens"] = Json::array();
  const auto tokenizer = load(file);
  EXPECT_EQ(tokenizer->encode("<|endoftext|>").size(), 13u);
  EXPECT_EQ(tokenizer->end_of_text(), std::nullopt);
  write("tokenizer_config.json", R"({"eos_token": {"content": "<|endoftext|>"}})");
  EXPECT_EQ(load_tokenizer(temp_.path())->encode("<|endoftext|>"), Ids{256});
  EXPECT_EQ(load_tokenizer(temp_.path())->end_of_text(), 256);
}

TEST_F(TokenizerFile, TheEndOfTextMayHaveAnotherName) {
  Json file = bytes();
  file["added_tokens"].push_back(added(257, "</s>"));
  write("tokenizer_config.json", R"({"eos_token": "</s>"})");
  EXPECT_EQ(load(file)->end_of_text(), 257);
}

TEST_F(TokenizerFile, WordsThatAreTokensAreTakenWholeIfMergesAreIgnored) {
  Json file = merging();
  file["model"]["vocab"]["xy"] = 257;
  EXPECT_EQ(load(file)->encode("xy!xyz"), (Ids{120, 121, 33, 120, 121, 122}));
  const std::uint64_t merged = load(file)->fingerprint();
  file["model"]["ignore_merges"] = true;
  EXPECT_EQ(load(file)->encode("xy!xyz"), (Ids{257, 33, 120, 121, 122}));
  EXPECT_NE(load(file)->fingerprint(), merged);
}

TEST_F(TokenizerFile, IsWrittenBackAsItWasRead) {
  Json file = bytes();
  file["added_tokens"].push_back(added(257, "<b>"));
  file["added_tokens"].push_back(added(258, "<a>"));
  file["added_tokens"][1]["rstrip"] = true;
  file["model"]["note"] = "kept";
  file["post_processor"] = {{"type", "ByteLevel"}, {"trim_offsets", false}};
  const std::string text = file.dump(3), config = R"({"eos_token": "<b>", "model_max_length": 9})";
  write("tokenizer.json", text);
  write("tokenizer_config.json", config);
  const auto tokenizer = load_tokenizer(temp_.path());
  tokenizer->save(temp_ / "copy");
  EXPECT_EQ(read_text_file(temp_ / "copy" / "tokenizer.json", 1 << 20), text);
  EXPECT_EQ(read_text_file(temp_ / "copy" / "tokenizer_config.json", 1 << 20), config);
  EXPECT_EQ(load_tokenizer(temp_ / "copy")->fingerprint(), tokenizer->fingerprint());
}

// vocab.json and merges.txt as GPT-2 ships them, in small; the end of text first, as trainers of
// the public library place it.
TEST_F(TokenizerFile, MayBeAVocabularyAndMerges) {
  Json vocab = {{"<|endoftext|>", 0}};
  const Json all_bytes = bytes();
  for (const auto& [spelling, id] : all_bytes["model"]["vocab"].items()) {
    vocab[spelling] = id.get<int>() + 1;
  }
  vocab["ab"] = 257;
  write("vocab.json", vocab.dump());
  write("merges.txt", "#version: 0.2\na b\n");
  const auto tokenizer = load_tokenizer(temp_.path());
  EXPECT_EQ(tokenizer->encode("abc<|endoftext|>"), (Ids{257, 100, 0}));
  EXPECT_EQ(tokenizer->end_of_text(), 0);

  write("merges.txt", "#version: 0.2\r\na b\r\n");
  EXPECT_EQ(load_tokenizer(temp_.path())->fingerprint(), tokenizer->fingerprint());

  tokenizer->save(temp_ / "copy");
  const auto copy = load_tokenizer(temp_ / "copy");
  EXPECT_EQ(copy->fingerprint(), tokenizer->fingerprint());
  EXPECT_EQ(copy->encode("abc<|endoftext|>"), (Ids{257, 100, 0}));
  const Json written = Json::parse(copy->to_json());
  EXPECT_EQ(written["model"]["vocab"]["<|endoftext|>"], 0) << "or the public library gives it 257";

  // As written before: without it in the vocabulary.
  Json former = written;
  former["model"]["vocab"].erase("<|endoftext|>");
  EXPECT_EQ(load(former)->fingerprint(), tokenizer->fingerprint());
  EXPECT_EQ(Json::parse(load(former)->to_json()), written);

  write("added_tokens.json", "{}");
  std::filesystem::remove(temp_ / "tokenizer.json");
  EXPECT_TRUE(contains(message_of<DataError>([&] { load_tokenizer(temp_.path()); }),
                       "added_tokens.json: is not supported beside vocab.json"));
}

TEST_F(TokenizerFile, OfGpt2HasOneFingerprintInEveryForm) {
  Json file = merging();
  file["added_tokens"] = {added(257, "<|endoftext|>")};
  const std::uint64_t fingerprint = load(file)->fingerprint();
  file["added_tokens"][0]["normalized"] = true;
  file["added_tokens"][0]["special"] = true;
  EXPECT_EQ(load(file)->fingerprint(), fingerprint);
  file["model"]["vocab"]["<|endoftext|>"] = 257;
  file["model"]["merges"] = Json::parse(R"([["a", "b"]])");
  EXPECT_EQ(load(file)->fingerprint(), fingerprint);
  file["added_tokens"][0]["lstrip"] = true;
  EXPECT_NE(load(file)->fingerprint(), fingerprint);
}

TEST_F(TokenizerFile, OfCharactersIsReadInItsFormerSpellingToo) {
  Json file = chars();
  EXPECT_EQ(file["pre_tokenizer"]["pattern"]["Regex"], "[\\s\\S]");
  const auto tokenizer = load(file);
  file["pre_tokenizer"]["pattern"]["Regex"] = "(?s).";
  const auto former = load(file);
  EXPECT_EQ(former->fingerprint(), tokenizer->fingerprint());
  EXPECT_EQ(former->encode("ba<|endoftext|>"), (Ids{1, 0, 2}));
  EXPECT_EQ(former->to_json(), tokenizer->to_json());
}

TEST_F(TokenizerFile, VocabulariesMayHaveGaps) {
  Json file = merging();
  file["model"]["vocab"]["ab"] = 300;
  const auto tokenizer = load(file);
  EXPECT_EQ(tokenizer->vocab_size(), 301);
  EXPECT_EQ(tokenizer->encode("ab"), Ids{300});
  EXPECT_FALSE(tokenizer->has_text(299));
  EXPECT_EQ(tokenizer->decode(Ids{299, 300}), "ab");
}

TEST_F(TokenizerFile, IdsAreRefusedWithFileKeyAndWhatTheyMayBe) {
  for (const Json& id : {Json(-1), Json(-2147483648LL), Json(2147483648LL), Json(2147483647),
                         Json(100'000'000), Json(9223372036854775808ULL), Json(256), Json(258)}) {
    Json file = bytes();
    file["added_tokens"].push_back(added(0, "<x>"));
    file["added_tokens"][1]["id"] = id;
    EXPECT_TRUE(contains(refusal(file), "tokenizer.json: added_tokens[1].id: " + id.dump() +
                                            "; want 257: added tokens are numbered after the 256"));
  }
  Json file = bytes();
  file["added_tokens"][0]["id"] = 1.5;
  EXPECT_TRUE(contains(refusal(file), "added_tokens[0].id: 1.5; want an integer"));
  file = merging();
  file["model"]["vocab"].erase("!");
  file["model"]["vocab"]["xy"] = 33;
  EXPECT_TRUE(contains(refusal(file), "tokenizer.json: no token for the byte 0x21"));
  file = bytes();
  file["added_tokens"][0] = added(98, "a");
  EXPECT_TRUE(contains(refusal(file), "added_tokens[0].id: 98; want 97, as in the vocabulary"));

  for (const Json& id : {Json(-1), Json(2147483648LL), Json(16777216), Json(1028)}) {
    file = merging();
    file["model"]["vocab"]["ab"] = id;
    EXPECT_TRUE(contains(refusal(file), "tokenizer.json: model.vocab.ab: " + id.dump() +
                                            "; want 0 to 1027 for one of 257 tokens"));
  }
  file = merging();
  file["model"]["vocab"]["ab"] = 34;
  EXPECT_TRUE(contains(refusal(file), "model.vocab.ab: 34; want another id: \"\\\"\" has it"));
}

TEST_F(TokenizerFile, AddedTokensAreRefusedIfTheirFieldsAreWrong) {
  const auto with = [](const char* key, const Json& value) {
    Json file = bytes();
    file["added_tokens"].push_back(added(257, "<x>"));
    file["added_tokens"][1][key] = value;
    return file;
  };
  EXPECT_TRUE(contains(refusal(with("content", "")), "added_tokens[1].content: \"\"; want 1 to"));
  EXPECT_TRUE(contains(refusal(with("content", "<|endoftext|>")), "want each token once"));
  EXPECT_TRUE(
      contains(refusal(with("lstrip", 1)), "added_tokens[1].lstrip: 1; want true or false"));
  Json file = with("lstrip", true);
  file["added_tokens"][1].erase("rstrip");
  EXPECT_TRUE(contains(refusal(file), "added_tokens[1].rstrip is missing"));
  file["added_tokens"] = "all";
  EXPECT_TRUE(contains(refusal(file), "added_tokens: \"all\"; want an array"));
}

struct Unsupported {
  const char* path;  // JSON pointer
  const char* value;
  const char* says;
};

class UnsupportedPart : public TokenizerFile, public testing::WithParamInterface<Unsupported> {};

TEST_P(UnsupportedPart, IsRefusedByName) {
  Json file = std::string_view(GetParam().says).starts_with("chars") ? chars() : bytes();
  file[Json::json_pointer(GetParam().path)] = Json::parse(GetParam().value);
  std::string_view says = GetParam().says;
  if (says.starts_with("chars")) says.remove_prefix(7);
  EXPECT_TRUE(contains(refusal(file), "tokenizer.json: " + std::string(says)));
}

INSTANTIATE_TEST_SUITE_P(
    Parts, UnsupportedPart,
    testing::Values(
        Unsupported{"/normalizer", R"({"type": "NFC"})",
                    "normalizer: {\"type\":\"NFC\"} is not supported; want null"},
        Unsupported{"/truncation", R"({"max_length": 4})", "truncation: {\"max_length\":4} is not"},
        Unsupported{"/padding", R"({"strategy": {"Fixed": 8}})", "padding: {"},
        Unsupported{"/post_processor", R"({"type": "Another"})",
                    "post_processor: {\"type\":\"Another\"} is not supported"},
        Unsupported{"/post_processor", R"({"type": "TemplateProcessing"})",
                    "post_processor.special_tokens is missing"},
        Unsupported{"/post_processor", R"({"type": "RobertaProcessing", "cls": ["a", 997]})",
                    "post_processor.cls[1]: 997; want the id of a token"},
        Unsupported{"/decoder", R"({"type": "WordPiece"})", "decoder: {"},
        Unsupported{"/pre_tokenizer", "null", "pre_tokenizer: null is not supported"},
        Unsupported{"/pre_tokenizer/add_prefix_space", "1", "pre_tokenizer: {"},
        Unsupported{"/pre_tokenizer/use_regex", "false", "pre_tokenizer: {"},
        Unsupported{"/pre_tokenizer", R"({"type": "Sequence", "pretokenizers": []})",
                    "pre_tokenizer: {"},
        Unsupported{"/model/type", "\"Unigram\"",
                    "model.type: \"Unigram\" is not supported; want BPE or WordPiece"},
        Unsupported{"/model/dropout", "0.1", "model.dropout: 0.1 is not supported; want null"},
        Unsupported{"/model/continuing_subword_prefix", "\"##\"",
                    "model.continuing_subword_prefix: \"##\" is not supported"},
        Unsupported{"/model/end_of_word_suffix", "\"</w>\"", "model.end_of_word_suffix: "},
        Unsupported{"/model/ignore_merges", "1", "model.ignore_merges: 1 is not supported"},
        Unsupported{"/model/merges", R"(["a b"])",
                    "model.merges[0]: \"a b\"; want tokens of the vocabulary; \"ab\" is none"},
        Unsupported{"/model/merges", R"(["ab"])",
                    "model.merges[0]: \"ab\"; want two tokens with a space between"},
        Unsupported{"/model/merges", R"([["a", 1]])", "model.merges[0][1]: 1; want a string"},
        Unsupported{"/model/vocab", "[]", "model.vocab: []; want an object"},
        Unsupported{"/model/vocab/日", "257", "token \"\\u65e5\" is not byte-level text"},
        Unsupported{"/model", "7", "model: 7; want an object"},
        Unsupported{"", "[]", "[]; want an object"},
        Unsupported{"/pre_tokenizer/pattern/Regex", "\"\\\\s+\"", "chars: pre_tokenizer: {"},
        Unsupported{"/model/unk_token", "\"<unk>\"", "chars: model.unk_token: \"<unk>\" is not"},
        Unsupported{"/model/vocab/word", "3",
                    "chars: model.vocab.word: 3; want one character for each token"},
        Unsupported{"/added_tokens", "[]", "chars: added_tokens: []; want <|endoftext|> alone"}));

TEST_F(TokenizerFile, RefusesAConfigurationThatChangesIds) {
  write("tokenizer_config.json", R"({"add_prefix_space": true})");
  EXPECT_TRUE(contains(refusal(bytes()),
                       "tokenizer_config.json: add_prefix_space: true; want false, as in"));
}

TEST_F(TokenizerFile, NamesTheFileThatIsDamaged) {
  write("tokenizer.json", "{");
  EXPECT_TRUE(contains(message_of<DataError>([&] { load_tokenizer(temp_.path()); }),
                       "tokenizer.json: not valid JSON"));
  EXPECT_TRUE(has_tokenizer_files(temp_.path()));
  EXPECT_FALSE(has_tokenizer_files(temp_ / "elsewhere"));
}

}  // namespace
}  // namespace ty::test
