#include "core/data/tokenizer.h"

#include <gtest/gtest.h>

#include <fstream>

#include "core/base/error.h"
#include "core/base/random.h"
#include "core/data/bpe.h"
#include "tests/support/messages.h"
#include "tests/support/temp_dir.h"

namespace ty::test {
namespace {

// Text with repeated words, digits, contractions, runs of spaces, several scripts and bytes that
// are no UTF-8.
std::string sample_text() {
  std::string text;
  const char* words[] = {"the",    " lord's", " house",  " 12345",      "  two  spaces",
                         "\n\n",   " naïve",  " 日本語", " \U0001F600", "\t",
                         " we'll", " THE",    "...!?",   "\xff\xfe"};
  const RandomStream stream(1, site_id("text"));
  for (std::uint64_t i = 0; i < 3000; ++i) text += words[stream.word(0, i) % std::size(words)];
  return text;
}

std::unique_ptr<Tokenizer> train(TokenizerKind kind, const std::string& text,
                                 std::int64_t vocab = 320) {
  const std::string_view view = text;
  return make_tokenizer({kind, vocab}, std::span(&view, 1));
}

class EveryByteTokenizer : public testing::TestWithParam<TokenizerKind> {};

TEST_P(EveryByteTokenizer, GivesBackEveryByte) {
  const std::string text = sample_text();
  const auto tokenizer = train(GetParam(), text);
  EXPECT_EQ(tokenizer->decode(tokenizer->encode(text)), text);
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  EXPECT_EQ(tokenizer->decode(tokenizer->encode(all)), all);
  EXPECT_TRUE(tokenizer->encode("").empty());
}

TEST_P(EveryByteTokenizer, SurvivesItsFiles) {
  const std::string text = sample_text();
  const auto tokenizer = train(GetParam(), text);
  const TempDir temp;
  tokenizer->save(temp.path());
  const auto again = load_tokenizer(temp.path());
  EXPECT_EQ(again->encode(text), tokenizer->encode(text));
  EXPECT_EQ(again->vocab_size(), tokenizer->vocab_size());
  EXPECT_EQ(again->end_of_text(), tokenizer->end_of_text());
  EXPECT_EQ(again->fingerprint(), tokenizer->fingerprint());
}

INSTANTIATE_TEST_SUITE_P(Kinds, EveryByteTokenizer,
                         testing::Values(TokenizerKind::bytes, TokenizerKind::bpe));

TEST(Bytes, IdIsTheByte) {
  const auto tokenizer = train(TokenizerKind::bytes, "");
  EXPECT_EQ(tokenizer->encode("A\xff"), (std::vector<std::int32_t>{65, 255}));
  EXPECT_EQ(tokenizer->vocab_size(), 257);
}

TEST(Chars, OneIdPerCodePointInOrder) {
  const auto tokenizer = train(TokenizerKind::chars, "banané\n");
  EXPECT_EQ(tokenizer->vocab_size(), 6);  // \n a b n é and the end of text
  EXPECT_EQ(tokenizer->encode("né"), (std::vector<std::int32_t>{3, 4}));
  const TempDir temp;
  tokenizer->save(temp.path());
  const auto again = load_tokenizer(temp.path());
  EXPECT_EQ(again->encode("banané\n"), tokenizer->encode("banané\n"));
  EXPECT_EQ(again->fingerprint(), tokenizer->fingerprint());
  EXPECT_EQ(message_of<DataError>([&] { tokenizer->encode("bax"); }),
            "tokenizer: character U+0078 at byte 2 is not in the vocabulary of 5 characters");
}

TEST(Bpe, MergesTheMostFrequentPairFirstAndTiesBySmallerIds) {
  // "ab" occurs most; then "abc".
  const BpeModel model = train_bpe(std::vector<std::string_view>{"abc abc abc abd"}, 260);
  ASSERT_EQ(model.merges.size(), 3u);
  EXPECT_EQ(model.tokens[256], "ab");
  EXPECT_EQ(model.tokens[257], " ab");
  EXPECT_EQ(model.tokens[258], " abc");
  EXPECT_EQ(model.tokens[259], kEndOfText);
}

TEST(Bpe, TrainingDoesNotDependOnHowDocumentsAreCut) {
  const auto whole = train_bpe(std::vector<std::string_view>{"one two\none two two\n"}, 270);
  const auto parts = train_bpe(std::vector<std::string_view>{"one two\n", "one two two\n"}, 270);
  EXPECT_EQ(whole.merges, parts.merges);
}

// Letters without a space, the same ones on every machine.
std::string unbroken(std::size_t size) {
  std::string text;
  for (std::uint64_t state = 1; text.size() < size;) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    text += "etaoinshrdlu"[(state >> 33) % 12];
  }
  return text;
}

// Of one word of 200 KB: a quarter of a minute when each merge went through all of it, and these
// very merges.
TEST(Bpe, LearnsFromLongWordsAsFastAsFromShortOnes) {
  EXPECT_EQ(train(TokenizerKind::bpe, unbroken(200'000), 2000)->fingerprint(), 0x38dffa49bc0b9d98u);
}

TEST(Bpe, StopsWhenNothingRepeats) {
  EXPECT_EQ(train_bpe(std::vector<std::string_view>{"xyz"}, 5000).tokens.size(), 257u);
}

TEST(Bpe, RefusesAVocabularyWithoutRoomForBytes) { EXPECT_THROW(train_bpe({}, 256), ConfigError); }

TEST(Tokenizer, ReadsEndOfTextAsOneToken) {
  const auto tokenizer = train(TokenizerKind::bpe, sample_text());
  const auto ids = tokenizer->encode("the<|endoftext|>the");
  EXPECT_EQ(std::count(ids.begin(), ids.end(), *tokenizer->end_of_text()), 1);
  EXPECT_EQ(tokenizer->decode(ids), "the<|endoftext|>the");
}

TEST(Tokenizer, RefusesIdsOutsideOfTheVocabulary) {
  const auto tokenizer = train(TokenizerKind::bytes, "");
  const std::vector<std::int32_t> ids = {257};
  EXPECT_EQ(message_of<DataError>([&] { tokenizer->decode(ids); }),
            "tokenizer: id 257 is outside of the vocabulary [0, 257)");
}

// vocab.json and merges.txt as GPT-2 ships them, in small.
TEST(LoadTokenizer, ReadsVocabAndMergesFiles) {
  const auto trained = train(TokenizerKind::bpe, sample_text(), 280);
  const TempDir temp;
  trained->save(temp.path());
  const auto loaded = load_tokenizer(temp.path());
  EXPECT_EQ(loaded->vocab_size(), 280);
}

TEST(LoadTokenizer, NamesTheFileAndWhatIsWrong) {
  const TempDir temp;
  const auto refusal = [&](const std::string& json) {
    std::ofstream(temp / "tokenizer.json") << json;
    return message_of<DataError>([&] { load_tokenizer(temp.path()); });
  };
  EXPECT_TRUE(contains(refusal("{"), "tokenizer.json"));
  EXPECT_TRUE(contains(refusal(R"({"model": {"type": "Unigram"}})"),
                       "model.type: \"Unigram\" is not supported"));
  EXPECT_TRUE(contains(refusal(R"({"model": {"type": "BPE", "vocab": {"a": 0}, "merges": []},
                                   "pre_tokenizer": {"type": "ByteLevel"}})"),
                       "no token for the byte 0x00"));
  EXPECT_TRUE(contains(refusal(R"({"model": {"type": "BPE", "vocab": {"a": -1}, "merges": []},
                                   "pre_tokenizer": {"type": "ByteLevel"}})"),
                       "want 0 to"));
  EXPECT_TRUE(contains(refusal(R"({"model": {"type": "WordLevel", "vocab": {"a": -1, "b": 0}},
                                   "pre_tokenizer": {"type": "Split"}})"),
                       "id -1 leaves a gap; want 0 to 1"));
  EXPECT_TRUE(contains(refusal(R"({"model": {"type": "BPE"}, "normalizer": {"type": "NFC"},
                                   "pre_tokenizer": {"type": "ByteLevel"}})"),
                       "normalizer: {\"type\":\"NFC\"} is not supported"));
}

}  // namespace
}  // namespace ty::test
