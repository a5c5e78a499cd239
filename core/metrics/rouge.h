// ROUGE (C.-Y. Lin, ROUGE: A Package for Automatic Evaluation of Summaries, 2004): overlap of a
// predicted text with its target, as the public `rouge-score` package of Python counts it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ty {

// porter: words of more than 3 characters count by their stem.
enum class Stemming : std::uint8_t { none, porter };

// Shares in [0, 1]; f1 is the harmonic mean of the others, and all are 0 where nothing overlaps.
struct RougeScore {
  double precision = 0;  // of the prediction
  double recall = 0;     // of the target
  double f1 = 0;
};

struct RougeScores {
  RougeScore rouge1, rouge2;  // words; pairs of neighbouring words
  RougeScore rouge_l;         // longest common subsequence of the whole texts
  RougeScore rouge_l_sum;     // union of those of the sentences, which are the lines of both texts
};

// The words that are compared: runs of a-z and 0-9 of the text in lower case. Letters outside of
// ASCII separate words, except the two whose lower case is in it (U+0130, U+212A).
std::vector<std::string> rouge_words(std::string_view text, Stemming stemming = Stemming::none);

RougeScores rouge(std::string_view target, std::string_view prediction,
                  Stemming stemming = Stemming::none);

// Mean of every number over pairs. Throws InternalError unless there are equally many of both, at
// least one.
RougeScores mean_rouge(std::span<const std::string> targets,
                       std::span<const std::string> predictions,
                       Stemming stemming = Stemming::none);

}  // namespace ty
