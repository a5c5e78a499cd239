#include "core/metrics/rouge.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/base/error.h"
#include "core/metrics/porter_stemmer.h"

namespace ty {

namespace {

using Words = std::vector<std::string>;

// Lower case; what is no letter or digit of ASCII becomes a space.
std::string with_spaces(std::string_view text) {
  constexpr std::string_view kKelvin = "\xe2\x84\xaa", kDottedI = "\xc4\xb0";
  std::string result;
  while (!text.empty()) {
    std::size_t length = 1;
    const char c = text[0];
    if (c >= 'A' && c <= 'Z') {
      result += static_cast<char>(c - 'A' + 'a');
    } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      result += c;
    } else if (text.starts_with(kKelvin)) {
      result += 'k';
      length = kKelvin.size();
    } else if (text.starts_with(kDottedI)) {
      result += "i ";  // its dot is a character of its own in lower case
      length = kDottedI.size();
    } else {
      result += ' ';
    }
    text.remove_prefix(length);
  }
  return result;
}

RougeScore score_of(std::size_t hits, std::size_t of_target, std::size_t of_prediction) {
  RougeScore score;
  if (hits == 0) return score;
  score.precision = static_cast<double>(hits) / static_cast<double>(of_prediction);
  score.recall = static_cast<double>(hits) / static_cast<double>(of_target);
  score.f1 = 2 * score.precision * score.recall / (score.precision + score.recall);
  return score;
}

RougeScore ngram_score(const Words& target, const Words& prediction, std::size_t n) {
  if (target.size() < n || prediction.size() < n) return {};
  std::map<std::span<const std::string>, std::size_t, decltype([](const auto& a, const auto& b) {
             return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end());
           })>
      unmatched;
  const std::size_t of_target = target.size() - n + 1, of_prediction = prediction.size() - n + 1;
  for (std::size_t i = 0; i < of_target; ++i) ++unmatched[std::span(target).subspan(i, n)];
  std::size_t hits = 0;
  for (std::size_t i = 0; i < of_prediction; ++i) {
    const auto found = unmatched.find(std::span(prediction).subspan(i, n));
    if (found == unmatched.end() || found->second == 0) continue;
    --found->second;
    ++hits;
  }
  return score_of(hits, of_target, of_prediction);
}

// Lengths of the longest common subsequences of all beginnings of two texts.
class CommonLengths {
 public:
  CommonLengths(const Words& target, const Words& prediction)
      : target_(target),
        prediction_(prediction),
        lengths_((target.size() + 1) * (prediction.size() + 1)) {
    for (std::size_t i = 0; i < target.size(); ++i) {
      for (std::size_t j = 0; j < prediction.size(); ++j) {
        at(i + 1, j + 1) =
            target[i] == prediction[j] ? at(i, j) + 1 : std::max(at(i, j + 1), at(i + 1, j));
      }
    }
  }

  std::size_t longest() const { return lengths_.back(); }

  // Adds the positions in the target of one of the longest. Which one, where there are several,
  // decides on the union: from the end, preferring to shorten the target.
  void add_positions(std::set<std::size_t>& positions) {
    std::size_t i = target_.size(), j = prediction_.size();
    while (i > 0 && j > 0) {
      if (target_[i - 1] == prediction_[j - 1]) {
        positions.insert(i - 1);
        --i;
        --j;
      } else if (at(i, j - 1) > at(i - 1, j)) {
        --j;
      } else {
        --i;
      }
    }
  }

 private:
  std::uint32_t& at(std::size_t i, std::size_t j) {
    return lengths_[i * (prediction_.size() + 1) + j];
  }

  const Words& target_;
  const Words& prediction_;
  std::vector<std::uint32_t> lengths_;
};

std::vector<Words> sentences_of(std::string_view text, Stemming stemming) {
  std::vector<Words> sentences;
  for (std::size_t end = 0; end != text.npos;) {
    end = text.find('\n');
    sentences.push_back(rouge_words(text.substr(0, end), stemming));
    if (end != text.npos) text.remove_prefix(end + 1);
  }
  return sentences;
}

std::map<std::string, std::size_t> counts_of(const std::vector<Words>& sentences) {
  std::map<std::string, std::size_t> counts;
  for (const Words& sentence : sentences) {
    for (const std::string& word : sentence) ++counts[word];
  }
  return counts;
}

std::size_t num_words(const std::vector<Words>& sentences) {
  std::size_t sum = 0;
  for (const Words& sentence : sentences) sum += sentence.size();
  return sum;
}

// Section 3.2 of the paper; a word is hit at most as often as both texts have it.
RougeScore summary_score(const std::vector<Words>& target, const std::vector<Words>& prediction) {
  auto left_in_target = counts_of(target), left_in_prediction = counts_of(prediction);
  std::size_t hits = 0;
  for (const Words& sentence : target) {
    std::set<std::size_t> positions;
    for (const Words& other : prediction) CommonLengths(sentence, other).add_positions(positions);
    for (const std::size_t position : positions) {
      std::size_t& in_target = left_in_target[sentence[position]];
      std::size_t& in_prediction = left_in_prediction[sentence[position]];
      if (in_target == 0 || in_prediction == 0) continue;
      --in_target;
      --in_prediction;
      ++hits;
    }
  }
  return score_of(hits, num_words(target), num_words(prediction));
}

void add(RougeScores& sum, const RougeScores& scores, double weight) {
  for (const auto member : {&RougeScores::rouge1, &RougeScores::rouge2, &RougeScores::rouge_l,
                            &RougeScores::rouge_l_sum}) {
    (sum.*member).precision += weight * (scores.*member).precision;
    (sum.*member).recall += weight * (scores.*member).recall;
    (sum.*member).f1 += weight * (scores.*member).f1;
  }
}

}  // namespace

std::vector<std::string> rouge_words(std::string_view text, Stemming stemming) {
  constexpr std::size_t kLongestUnstemmed = 3;
  const std::string spaced = with_spaces(text);
  Words words;
  for (std::size_t start = 0; start < spaced.size();) {
    const std::size_t end = std::min(spaced.find(' ', start), spaced.size());
    std::string word = spaced.substr(start, end - start);
    if (stemming == Stemming::porter && word.size() > kLongestUnstemmed) {
      word = porter_stem(std::move(word));
    }
    if (!word.empty()) words.push_back(std::move(word));
    start = end + 1;
  }
  return words;
}

RougeScores rouge(std::string_view target, std::string_view prediction, Stemming stemming) {
  const Words of_target = rouge_words(target, stemming);
  const Words of_prediction = rouge_words(prediction, stemming);
  return {.rouge1 = ngram_score(of_target, of_prediction, 1),
          .rouge2 = ngram_score(of_target, of_prediction, 2),
          .rouge_l = score_of(CommonLengths(of_target, of_prediction).longest(), of_target.size(),
                              of_prediction.size()),
          .rouge_l_sum =
              summary_score(sentences_of(target, stemming), sentences_of(prediction, stemming))};
}

RougeScores mean_rouge(std::span<const std::string> targets,
                       std::span<const std::string> predictions, Stemming stemming) {
  TY_CHECK(targets.size() == predictions.size() && !targets.empty(),
           "{} targets and {} predictions; want equally many, at least one", targets.size(),
           predictions.size());
  RougeScores mean;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    add(mean, rouge(targets[i], predictions[i], stemming), 1 / static_cast<double>(targets.size()));
  }
  return mean;
}

}  // namespace ty
