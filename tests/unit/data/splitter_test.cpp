#include "core/data/splitter.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/data/character_classes.h"

namespace ty::test {
namespace {

using Words = std::vector<std::string>;

Words words_of(std::string_view text) {
  Words words;
  while (!text.empty()) {
    words.emplace_back(text.substr(0, first_word(text)));
    text.remove_prefix(words.back().size());
  }
  return words;
}

// As pre_tokenizers.ByteLevel of the tokenizers library splits.
TEST(FirstWord, SplitsAsGpt2) {
  EXPECT_EQ(words_of("I'll say 12 things, don't 'stop"),
            (Words{"I", "'ll", " say", " 12", " things", ",", " don", "'t", " '", "stop"}));
  EXPECT_EQ(words_of("a   b \n\n c  "), (Words{"a", "  ", " b", " \n\n", " c", "  "}));
  EXPECT_EQ(words_of("\n\nx\tyz"), (Words{"\n", "\n", "x", "\t", "yz"}));
  EXPECT_EQ(words_of("''s 'Ve ²½x_"), (Words{"''", "s", " '", "Ve", " ²½", "x", "_"}));
  EXPECT_EQ(words_of("日本語 naïve\u3000e\u0301"),
            (Words{"日本語", " naïve", "\u3000", "e", "\u0301"}));
}

TEST(FirstWord, KnowsTheCharactersOfUnicode16) {
  EXPECT_EQ(words_of("a\U0001409Ab"), (Words{"a\U0001409Ab"})) << "an Egyptian hieroglyph";
  EXPECT_EQ(words_of("a\U0001E5F1"), (Words{"a", "\U0001E5F1"})) << "Ol Onal digit one";
  EXPECT_EQ(words_of("a\u180Eb"), (Words{"a", "\u180E", "b"})) << "no white space since 6.3";
  EXPECT_EQ(words_of("\u0085\u00A0\u2028x"), (Words{"\u0085\u00A0", "\u2028", "x"}));
}

TEST(FirstWord, KeepsBytesThatAreNoCharacters) {
  EXPECT_EQ(words_of("a \xff\xfe x\xc3"), (Words{"a", " ", "\xff\xfe", " x", "\xc3"}));
  EXPECT_EQ(words_of("  \xff"), (Words{"  ", "\xff"}));
}

TEST(FirstWord, TakesNoLongerForLongRuns) {  // without an end if it were quadratic
  for (const char* run : {" ", "\n", "a", "'", "\xff", "\u3000"}) {
    std::string text;
    while (text.size() < 3'000'000) text += run;
    EXPECT_LE(words_of(text + "b").size(), 3u);
  }
}

TEST(CharacterClasses, CountAsUnicodeDoes) {
  const CharacterClasses& classes = CharacterClasses::get();
  int letters = 0, numbers = 0, spaces = 0, words = 0;
  for (char32_t code = 0; code < 0x110000; ++code) {
    letters += classes.kind(code) == CharacterKind::letter;
    numbers += classes.kind(code) == CharacterKind::number;
    spaces += classes.kind(code) == CharacterKind::space;
    words += classes.is_word(code);
  }
  EXPECT_EQ(letters, 141028);
  EXPECT_EQ(numbers, 1911);
  EXPECT_EQ(spaces, 25);
  EXPECT_EQ(words, 144667);
}

}  // namespace
}  // namespace ty::test
