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
  EXPECT_EQ(model.vocabulary.tokens[256], "ab");
  EXPECT_EQ(model.vocabulary.tokens[257], " ab");
  EXPECT_EQ(model.vocabulary.tokens[258], " abc");
  EXPECT_EQ(model.vocabulary.tokens[259], kEndOfText);
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

// Fingerprints stand in runs and token files.
TEST(Tokenizer, FingerprintsStayWhatTheyAre) {
  EXPECT_EQ(train(TokenizerKind::bytes, "")->fingerprint(), 0x0fe685d187abec5fu);
  EXPECT_EQ(train(TokenizerKind::chars, "abc\n")->fingerprint(), 0x7e377c2690f51f4bu);
  EXPECT_EQ(train(TokenizerKind::bpe, "abc abc abd", 320)->fingerprint(), 0xc1b225ee74832465u);
}

// Of one word of 200 KB: a quarter of a minute when each merge went through all of it, and these
// very merges.
TEST(Bpe, LearnsFromLongWordsAsFastAsFromShortOnes) {
  EXPECT_EQ(train(TokenizerKind::bpe, unbroken(200'000), 2000)->fingerprint(), 0x38dffa49bc0b9d98u);
}

TEST(Bpe, MergesLongWordsAsFastAsShortOnes) {  // 64 KB took 2 s
  const std::string text = unbroken(1'000'000);
  const auto tokenizer = train(TokenizerKind::bpe, text.substr(0, 20'000), 1500);
  const auto ids = tokenizer->encode(text);
  EXPECT_EQ(tokenizer->decode(ids), text);
  EXPECT_EQ(ids.size(), 457362u) << "as many as the tokenizers library makes";
}

TEST(Bpe, StopsWhenNothingRepeats) {
  EXPECT_EQ(train_bpe(std::vector<std::string_view>{"xyz"}, 5000).vocabulary.tokens.size(), 257u);
}

TEST(Bpe, RefusesAVocabularyWithoutRoomForBytes) { EXPECT_THROW(train_bpe({}, 256), ConfigError); }

TEST(Tokenizer, ReadsEndOfTextAsOneToken) {
  const auto tokenizer = train(TokenizerKind::bpe, sample_text());
  const auto ids = tokenizer->encode("the<|endoftext|>the");
  EXPECT_EQ(std::count(ids.begin(), ids.end(), *tokenizer->end_of_text()), 1);
  EXPECT_EQ(tokenizer->decode(ids), "the<|endoftext|>the");
}

TEST(Tokenizer, IdsBeyondTheVocabularyHaveNoText) {
  const auto tokenizer = train(TokenizerKind::bytes, "");
  const std::vector<std::int32_t> ids = {65, 257, -1, 66};
  EXPECT_EQ(tokenizer->decode(ids), "AB");
  EXPECT_TRUE(tokenizer->has_text(256));
  EXPECT_FALSE(tokenizer->has_text(257));
  EXPECT_FALSE(tokenizer->has_text(-1));
}

}  // namespace
}  // namespace ty::test
