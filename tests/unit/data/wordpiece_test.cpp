#include "core/data/wordpiece.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "core/base/error.h"
#include "core/data/encoding.h"
#include "core/data/utf8.h"
#include "core/io/file.h"
#include "tests/support/messages.h"
#include "tests/support/temp_dir.h"

namespace ty::test {
namespace {

using Json = nlohmann::json;
using Ids = std::vector<std::int32_t>;

TEST(ReplacementCharacters, StandForEachLongestBrokenCharacter) {
  EXPECT_EQ(with_replacement_characters("aé日\U0001f600"), "aé日\U0001f600");
  EXPECT_EQ(with_replacement_characters("a\xff\xfe!"), "a\uFFFD\uFFFD!");
  EXPECT_EQ(with_replacement_characters("\xf0\x9f\x98z"), "\uFFFDz") << "one that breaks off";
  EXPECT_EQ(with_replacement_characters("\xf0\x9f\x98"), "\uFFFD");
  EXPECT_EQ(with_replacement_characters("\xc0\xaf"), "\uFFFD\uFFFD") << "overlong";
  EXPECT_EQ(with_replacement_characters("\xe0\x80\xaf"), "\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(with_replacement_characters("\xed\xa0\x80"), "\uFFFD\uFFFD\uFFFD") << "a surrogate";
  EXPECT_EQ(with_replacement_characters("\xf4\x90\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(with_replacement_characters("\xf1\x80\xc3\xa9"), "\uFFFDé");
}

std::string normalized(const BertNormalizerSpec& spec, std::string_view text) {
  return BertNormalizer(spec).normalize(text);
}

TEST(BertNormalizer, StepsAreTakenByThemselves) {
  const BertNormalizerSpec none = {false, false, false, false};
  EXPECT_EQ(normalized(none, "É\t日\u200b"), "É\t日\u200b");
  auto spec = none;
  spec.clean_text = true;
  EXPECT_EQ(normalized(spec, "É\t日\u200b\u3000\uFFFD!"), "É 日 !");
  spec = none;
  spec.handle_chinese_chars = true;
  EXPECT_EQ(normalized(spec, "a日本b한"), "a 日  本 b한");
  spec = none;
  spec.strip_accents = true;
  EXPECT_EQ(normalized(spec, "Éa\u0327\u0301 각"), "Ea \u1100\u1161\u11a8");
  spec = none;
  spec.lowercase = true;
  EXPECT_EQ(normalized(spec, "ÉΣİ"), "éσi\u0307");
  spec.strip_accents.reset();
  EXPECT_EQ(normalized(spec, "ÉΣİ"), "eσi") << "accents go with the capitals";
}

TEST(BertNormalizer, OrdersMarksThatItDecomposes) {
  BertNormalizerSpec spec = {false, false, true, false};
  // U+1D165 (class 216) and U+1D16D (226) are no accents in the library's eyes, so they stay.
  EXPECT_EQ(normalized(spec, "a\U0001d16d\U0001d165b"), "a\U0001d165\U0001d16db");
}

std::unique_ptr<Tokenizer> learn(std::string_view text, std::int64_t vocab, bool lowercase = true) {
  return make_tokenizer({TokenizerKind::wordpiece, vocab, lowercase}, std::span(&text, 1));
}

std::set<std::string> pieces_of(const Tokenizer& tokenizer) {
  std::set<std::string> pieces;
  const Json vocab = Json::parse(tokenizer.to_json())["model"]["vocab"];
  for (const auto& [piece, id] : vocab.items()) pieces.insert(piece);
  return pieces;
}

TEST(WordPieceTraining, MergesTheMostFrequentPairs) {
  const auto tokenizer = learn("hug pug hug bun hugs pun", 64);
  EXPECT_EQ(
      pieces_of(*tokenizer),
      (std::set<std::string>{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "b", "g", "h", "n", "p",
                             "s", "u", "##g", "##n", "##s", "##u", "##ug", "##un", "hug"}));
  EXPECT_EQ(tokenizer->decode(tokenizer->encode("Hugs, PUN hux")), "hugs [UNK] pun [UNK]");
  EXPECT_EQ(learn("hug pug hug bun hugs pun", 17)->vocab_size(), 17);
}

TEST(WordPieceTraining, KeepsTheMostFrequentCharactersThatFit) {
  const auto pieces = pieces_of(*learn("a a a b b c", 7));
  EXPECT_TRUE(pieces.contains("a") && pieces.contains("b"));
  EXPECT_EQ(pieces.size(), 7u);
  EXPECT_TRUE(contains(message_of<ConfigError>([] { learn("a", 5); }),
                       "tokenizer.vocab: 5 is too small; WordPiece wants at least 6 ids"));
}

TEST(WordPieceTraining, DependsOnTheTextAlone) {
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "word" + std::to_string(i * 7919 % 1000) + " Ünï ";
  const auto first = learn(text, 300), second = learn(text, 300);
  EXPECT_EQ(first->to_json(), second->to_json());
  EXPECT_EQ(first->fingerprint(), 0x9a28ca8bbe8aafd6u);
  EXPECT_NE(learn(text, 300, false)->fingerprint(), first->fingerprint());
}

TEST(WordPiece, SurvivesItsFilesInEitherForm) {
  const std::string text = "The river runs past stone bridges, rivers run past the stones";
  for (const bool lowercase : {true, false}) {
    const auto tokenizer = learn(text, 90, lowercase);
    const TempDir temp;
    tokenizer->save(temp.path());
    const auto same = [&] {
      const auto again = load_tokenizer(temp.path());
      EXPECT_EQ(again->fingerprint(), tokenizer->fingerprint());
      EXPECT_EQ(again->special(), tokenizer->special());
      EXPECT_EQ(again->templates(), tokenizer->templates());
      EXPECT_EQ(again->end_of_text(), tokenizer->end_of_text());
    };
    same();
    std::filesystem::remove(temp / "tokenizer.json");
    const std::string config = lowercase ? "{}" : R"({"do_lower_case": false})";
    atomic_write_file(temp / "tokenizer_config.json", bytes_of(config));
    same();
  }
}

TEST(WordPiece, BytesThatAreNoTextBecomeReplacementCharacters) {
  const auto tokenizer = learn("ab \uFFFD", 64);
  EXPECT_EQ(tokenizer->encode("ab\xff"), tokenizer->encode("ab")) << "which cleaning removes";
  Json file = Json::parse(tokenizer->to_json());
  file["normalizer"] = nullptr;
  file["model"]["vocab"]["\uFFFD"] = file["model"]["vocab"].size();
  const TempDir temp;
  const std::string text = file.dump();
  atomic_write_file(temp / "tokenizer.json", bytes_of(text));
  const auto raw = load_tokenizer(temp.path());
  EXPECT_EQ(raw->decode(raw->encode("\xff ab \xe0\xa0")), "\uFFFD ab \uFFFD");
}

class WordPieceFile : public testing::Test {
 protected:
  TempDir temp_;
  Json good_ = Json::parse(learn("a b ab", 64)->to_json());

  std::string refusal(const char* pointer, const Json& value) {
    Json file = good_;
    file[Json::json_pointer(pointer)] = value;
    const std::string text = file.dump();
    atomic_write_file(temp_ / "tokenizer.json", bytes_of(text));
    return message_of<DataError>([&] { load_tokenizer(temp_.path()); });
  }
};

TEST_F(WordPieceFile, RefusesPartsThatItDoesNotKnow) {
  const auto says = [&](const char* pointer, const Json& value, const std::string& message) {
    const std::string said = refusal(pointer, value);
    EXPECT_TRUE(contains(said, "tokenizer.json: " + message)) << said;
  };
  says("/normalizer", {{"type", "Lowercase"}}, "normalizer: {\"type\":\"Lowercase\"} is not");
  says("/normalizer/lowercase", nullptr, "normalizer.lowercase: null; want true or false");
  says("/pre_tokenizer", {{"type", "Whitespace"}}, "pre_tokenizer: {");
  says("/decoder", {{"type", "BPEDecoder"}}, "decoder: {");
  says("/truncation", {{"max_length", 4}}, "truncation: {");
  says("/model/unk_token", "none", "model.unk_token: \"none\"; want a token of the vocabulary");
  says("/model/max_input_chars_per_word", -1, "model.max_input_chars_per_word: -1; want 0 to");
  says("/post_processor/pair/0/SpecialToken/id", "[X]",
       "post_processor.special_tokens[\"[X]\"] is missing");
  says("/post_processor/single", {{{"Sequence", {{"id", "B"}, {"type_id", 0}}}}},
       "post_processor.single: [{");
}

TEST_F(WordPieceFile, RefusesAConfigurationThatSaysOtherwise) {
  const std::string config = R"({"do_lower_case": false})";
  atomic_write_file(temp_ / "tokenizer_config.json", bytes_of(config));
  EXPECT_TRUE(contains(refusal("/version", "1.0"),
                       "tokenizer_config.json: do_lower_case: false; want true, as in"));
}

TEST_F(WordPieceFile, LinesAreTokensAndWantTheSpecialOnes) {
  const auto load = [&](std::string_view lines) {
    atomic_write_file(temp_ / "vocab.txt", bytes_of(lines));
    return load_tokenizer(temp_.path());
  };
  const auto tokenizer = load("[PAD]\r\n[UNK]\n\n[CLS] \u00a0\n[SEP]\na\nb\na");
  EXPECT_EQ(tokenizer->encode("a B c"), (Ids{7, 6, 1})) << "of equal lines the last";
  EXPECT_FALSE(tokenizer->has_text(2));
  EXPECT_FALSE(tokenizer->has_text(5));
  EXPECT_EQ(encode_with_special(*tokenizer, "b", "a").ids, (Ids{3, 6, 4, 7, 4}));
  EXPECT_TRUE(contains(message_of<DataError>([&] { load("[UNK]\n[CLS]\n"); }),
                       "vocab.txt: no line for sep_token"));
  EXPECT_TRUE(contains(message_of<DataError>([&] { load("[UNK]\n\xff\n"); }),
                       "vocab.txt: byte 6 is not valid UTF-8"));
}

TEST(Encoding, SaysWhenThereIsNoRoomForSpecialTokens) {
  const auto tokenizer = learn("a b", 64);
  EXPECT_EQ(encode_with_special(*tokenizer, "a b", std::nullopt, 2).ids, (Ids{2, 3}));
  EXPECT_TRUE(contains(message_of<DataError>([&] { encode_with_special(*tokenizer, "a", "b", 2); }),
                       "at most 2 ids, but a pair of texts has 3 special tokens"));
}

}  // namespace
}  // namespace ty::test
