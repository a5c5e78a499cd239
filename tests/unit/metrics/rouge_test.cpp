#include "core/metrics/rouge.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/support/messages.h"

namespace ty::test {
namespace {

using Words = std::vector<std::string>;

void expect_f1(const RougeScores& scores, double f1) {
  EXPECT_EQ(scores.rouge1.f1, f1);
  EXPECT_EQ(scores.rouge2.f1, f1);
  EXPECT_EQ(scores.rouge_l.f1, f1);
  EXPECT_EQ(scores.rouge_l_sum.f1, f1);
}

TEST(Rouge, WordsAreLettersAndDigitsInLowerCase) {
  EXPECT_EQ(rouge_words("It's 2 o'Clock_NOW"), (Words{"it", "s", "2", "o", "clock", "now"}));
  EXPECT_EQ(rouge_words("na\u00efve \u212aelvin \u0130t"), (Words{"na", "ve", "kelvin", "i", "t"}));
  EXPECT_EQ(rouge_words(" \n\xff "), Words{});
  EXPECT_EQ(rouge_words("Runs singing dogs", Stemming::porter), (Words{"run", "sing", "dog"}));
  EXPECT_EQ(rouge_words("was his", Stemming::porter), (Words{"was", "his"})) << "too short";
}

TEST(Rouge, OfTheSameTextIsOneAndOfOthersZero) {
  expect_f1(rouge("one two\nthree", "One, two.\nThree!"), 1.0);
  expect_f1(rouge("one two", "three four"), 0.0);
  expect_f1(rouge("", "one two"), 0.0);
  expect_f1(rouge("one two", "..."), 0.0);
  expect_f1(rouge("", ""), 0.0);
}

TEST(Rouge, CountsNoWordMoreOftenThanItOccurs) {
  const RougeScores scores = rouge("a b a", "a a a a");
  EXPECT_EQ(scores.rouge1.precision, 0.5);
  EXPECT_EQ(scores.rouge1.recall, 2.0 / 3.0);
  EXPECT_EQ(scores.rouge2.f1, 0.0);
  EXPECT_EQ(scores.rouge_l.recall, 2.0 / 3.0);
}

// The example of section 3.2 of the paper: the union of "w1 w2" and "w1 w3 w5" has 4 of 5 words.
TEST(Rouge, UnitesTheSubsequencesOfSentences) {
  const RougeScores scores = rouge("w1 w2 w3 w4 w5", "w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5");
  EXPECT_EQ(scores.rouge_l_sum.recall, 0.8);
  EXPECT_EQ(scores.rouge_l_sum.precision, 0.4);
  EXPECT_EQ(scores.rouge_l.recall, 0.8);
  EXPECT_EQ(rouge("w1 w2 w3", "w3\nw2\nw1").rouge_l_sum.recall, 1.0);
  EXPECT_EQ(rouge("w1 w2 w3", "w3\nw2\nw1").rouge_l.recall, 1.0 / 3.0);
}

TEST(Rouge, IsTheMeanOverPairs) {
  const Words targets{"a b", "c d"}, predictions{"a b", "x"};
  expect_f1(mean_rouge(targets, predictions), 0.5);
  EXPECT_EQ(mean_rouge(targets, predictions).rouge1.precision, 0.5);
  EXPECT_EQ(mean_rouge(targets, predictions).rouge_l.recall, 0.5);
  EXPECT_TRUE(contains(message_of<InternalError>([&] { mean_rouge(targets, {}); }),
                       "2 targets and 0 predictions; want equally many"));
}

}  // namespace
}  // namespace ty::test
