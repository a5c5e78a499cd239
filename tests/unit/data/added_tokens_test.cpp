#include "core/data/added_tokens.h"

#include <gtest/gtest.h>

#include "core/data/bpe.h"

namespace ty::test {
namespace {

AddedToken token(std::int32_t id, std::string content) {
  AddedToken token;
  token.id = id;
  token.content = std::move(content);
  return token;
}
AddedToken with(AddedToken token, bool AddedToken::*flag) {
  token.*flag = true;
  return token;
}

// Plain parts in brackets, tokens by their ids.
std::string parts_of(const std::vector<AddedToken>& tokens, std::string_view text) {
  const AddedTokens added(tokens);
  std::string parts;
  for (const TextPart& part : added.split(text)) {
    parts +=
        part.token != nullptr ? std::to_string(part.token->id) : "[" + std::string(part.text) + "]";
  }
  return parts;
}

TEST(AddedTokens, AreFoundLeftmostAndLongest) {
  const std::vector<AddedToken> tokens = {token(1, "ab"), token(2, "abc"), token(3, "bcd"),
                                          token(4, "c")};
  EXPECT_EQ(parts_of(tokens, "xabcd"), "[x]2[d]");
  EXPECT_EQ(parts_of(tokens, "xabxbcd"), "[x]1[x]3");
  EXPECT_EQ(parts_of(tokens, "cc"), "44");
  EXPECT_EQ(parts_of(tokens, ""), "");
  EXPECT_EQ(parts_of({}, "ab"), "[ab]");
}

TEST(AddedTokens, TakeWhiteSpaceIfTheyStrip) {
  const std::vector<AddedToken> tokens = {with(token(1, "<l>"), &AddedToken::lstrip),
                                          with(token(2, "<r>"), &AddedToken::rstrip),
                                          token(3, " z"), token(4, "\n")};
  EXPECT_EQ(parts_of(tokens, "a \u3000\t<l> b"), "[a]1[ b]");
  EXPECT_EQ(parts_of(tokens, "a <r> \u00a0 b"), "[a ]2[b]");
  EXPECT_EQ(parts_of(tokens, "<r>  <l>"), "21");
  EXPECT_EQ(parts_of(tokens, "<r>  z"), "23") << "found in white space that is taken";
  EXPECT_EQ(parts_of(tokens, "<r>\n\n"), "244");
}

TEST(AddedTokens, StandAloneIfTheyAreSingleWords) {
  const std::vector<AddedToken> tokens = {with(token(1, "END"), &AddedToken::single_word)};
  EXPECT_EQ(parts_of(tokens, "END of SENDER END."), "1[ of SENDER ]1[.]");
  EXPECT_EQ(parts_of(tokens, "éEND ENDé _END END\u0301 END\u200d"),
            "[éEND ENDé _END END\u0301 END\u200d]");
  EXPECT_EQ(parts_of(tokens,
                     "\xff"
                     "END\xff"),
            "[\xff]1[\xff]");
}

TEST(AddedTokens, AreFoundBetweenTheOthersIfNormalized) {
  const std::vector<AddedToken> tokens = {
      with(token(1, "abcd"), &AddedToken::normalized), token(2, "bc"),
      with(with(token(3, "a"), &AddedToken::normalized), &AddedToken::single_word)};
  EXPECT_EQ(parts_of(tokens, "abcd"), "32[d]") << "what is left of a is a word of its own";
  EXPECT_EQ(parts_of(tokens, "ad"), "[ad]");
}

TEST(AddedTokens, AreFoundInLinearTime) {  // without an end if it were quadratic
  const std::string a(300'000, 'a'), spaces(300'000, ' ');
  EXPECT_EQ(AddedTokens({token(1, a + "b"), token(2, "ab")}).split(a + a).size(), 1u);
  AddedToken space = with(with(token(1, "  "), &AddedToken::rstrip), &AddedToken::lstrip);
  EXPECT_EQ(AddedTokens({space}).split(spaces).size(), 1u);
}

// A tokenizer of bytes with tokens that lie across every place where a text might be cut.
TEST(AddedTokens, AreNeverCutByPieces) {
  BpeModel model = byte_model();
  std::int32_t id = 257;
  for (const char* content : {"o w", "o ", " w", "two words", "words t"}) {
    model.vocabulary.tokens.emplace_back(content);
    model.vocabulary.added.push_back(token(id++, content));
    if (id % 2 == 0) model.vocabulary.added.back().single_word = true;
    if (id % 3 == 0) model.vocabulary.added.back().rstrip = true;
  }
  const BpeTokenizer tokenizer(std::move(model));
  std::string text;
  for (int i = 0; i < 50; ++i) text += "two words two  words go where no cut is o w two. ";
  for (std::size_t bytes = 1; bytes < 60; ++bytes) {
    std::vector<std::int32_t> ids;
    const auto pieces = tokenizer.pieces(text, bytes);
    EXPECT_GT(pieces.size(), 20u);
    for (std::string_view piece : pieces) {
      for (std::int32_t next : tokenizer.encode(piece)) ids.push_back(next);
    }
    ASSERT_EQ(ids, tokenizer.encode(text)) << bytes;
  }
}

}  // namespace
}  // namespace ty::test
