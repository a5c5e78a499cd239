#include "core/data/corpus.h"

#include <gtest/gtest.h>

#include <fstream>

#include "core/base/error.h"
#include "tests/support/messages.h"
#include "tests/support/temp_dir.h"

namespace ty::test {
namespace {

// Words, digits, runs of white space, marks and bytes that are no UTF-8, well over one piece long.
std::string long_text() {
  std::string text;
  for (int i = 0; text.size() < 700'000; ++i) {
    text += "word" + std::to_string(i % 977) + (i % 3 == 0 ? "  \n " : " ") +
            (i % 101 == 0 ? "ä\xff" : "don't ");
    if (i % 5000 == 0) text += kEndOfText;
  }
  return text;
}

std::unique_ptr<Tokenizer> make(TokenizerKind kind, std::string_view text) {
  return make_tokenizer({.kind = kind, .vocab = 400}, std::span(&text, 1));
}

TEST(Corpus, LongTextsHaveTheIdsOfOnePiece) {
  const std::string text = long_text();
  const auto tokenizer = make(TokenizerKind::bpe, text);
  ASSERT_GT(tokenizer->pieces(text, 1 << 18).size(), 2u) << "nothing to join";
  const EncodedText encoded = encode_documents(*tokenizer, std::span(&text, 1));
  EXPECT_EQ(encoded.ids, tokenizer->encode(text));
  EXPECT_EQ(encoded.bytes, static_cast<std::int64_t>(text.size()));
}

TEST(Corpus, EndOfTextStandsBetweenDocumentsOnly) {
  for (TokenizerKind kind : kTokenizerKinds) {
    const auto tokenizer = make(kind, "abc");
    const std::int32_t end = *tokenizer->end_of_text();
    const auto id = [&](const char* text) { return tokenizer->encode(text)[0]; };
    const std::vector<std::string> documents = {"a", "b", "", "c"};
    EXPECT_EQ(encode_documents(*tokenizer, documents).ids,
              (std::vector<std::int32_t>{id("a"), end, id("b"), end, end, id("c")}))
        << name_of(kind);
  }
}

TEST(Corpus, ProgressEndsAtAll) {
  const std::vector<std::string> documents(100, "some text");
  std::int64_t last = 0;
  encode_documents(*make(TokenizerKind::bytes, ""), documents, [&](auto done, auto all) {
    EXPECT_LE(last, done);
    EXPECT_EQ(all, 900);
    last = done;
  });
  EXPECT_EQ(last, 900);
}

TEST(Corpus, CharactersWithoutAnIdAreNamedWithTheirFile) {
  const TempDir temp;
  std::ofstream(temp / "a.txt") << "cab<|endoftext|>bad";
  const auto tokenizer = make(TokenizerKind::chars, "abc");
  EXPECT_TRUE(contains(
      message_of<DataError>([&] { tokenize_text(temp / "a.txt", *tokenizer, {}); }),
      "a.txt: tokenizer: character U+0064 at byte 18 is not in the vocabulary of 3 characters"));
}

TEST(Corpus, AnErrorOfOneDocumentIsTheError) {
  std::vector<std::string> documents(100, "abc");
  documents[57] = "abz";
  const auto tokenizer = make(TokenizerKind::chars, "abc");
  EXPECT_TRUE(contains(message_of<DataError>([&] { encode_documents(*tokenizer, documents); }),
                       "U+007A at byte 2"));
}

TEST(Corpus, IdsKnowTextReaderAndTokenizer) {
  const TempDir temp;
  std::ofstream(temp / "a.txt") << "hello";
  std::ofstream(temp / "b.txt") << "help";
  std::ofstream(temp / "a.tsv") << "one\ttwo\nhello\thelp\n";
  const auto bytes = make(TokenizerKind::bytes, ""), chars = make(TokenizerKind::chars, "hello");
  const TextTokens tokens = tokenize_text(temp / "a.txt", *bytes, {});
  EXPECT_EQ(tokens.info.source_bytes, 5);
  const TextIdentity made = identity_of(tokens.info);
  EXPECT_EQ(made, identity_of(temp / "a.txt", {}, *bytes));
  EXPECT_EQ(made, identity_of(temp / "a.txt", {.json_key = "other"}, *bytes));
  EXPECT_NE(made, identity_of(temp / "b.txt", {}, *bytes));
  EXPECT_NE(made, identity_of(temp / "a.txt", {}, *chars));
  EXPECT_NE(identity_of(temp / "a.tsv", {.tsv_column = 0}, *bytes),
            identity_of(temp / "a.tsv", {.tsv_column = 1}, *bytes));
}

}  // namespace
}  // namespace ty::test
