#include "core/metrics/porter_stemmer.h"

#include <cstdint>
#include <map>
#include <span>
#include <string_view>

namespace ty {

namespace {

bool is_vowel_letter(char letter) {
  return std::string_view("aeiou").find(letter) != std::string::npos;
}

// A y is a consonant at the start and after a vowel.
bool is_consonant(std::string_view word, std::size_t at) {
  std::size_t first = at;  // where the run of y that ends here begins, or the letter before it
  while (first > 0 && word[first] == 'y') --first;
  return is_vowel_letter(word[first]) != ((at - first) % 2 == 0);
}

// m of the paper's form [C](VC)^m[V]: how often a consonant follows a vowel.
int measure(std::string_view stem) {
  int changes = 0;
  bool was_consonant = true;
  for (std::size_t i = 0; i < stem.size(); ++i) {
    const bool consonant = stem[i] == 'y' ? i == 0 || !was_consonant : !is_vowel_letter(stem[i]);
    changes += consonant && !was_consonant ? 1 : 0;
    was_consonant = consonant;
  }
  return changes;
}

bool contains_vowel(std::string_view stem) {
  for (std::size_t i = 0; i < stem.size(); ++i) {
    if (!is_consonant(stem, i)) return true;
  }
  return false;
}

bool ends_in_double_consonant(std::string_view word) {
  const std::size_t size = word.size();
  return size >= 2 && word[size - 1] == word[size - 2] && is_consonant(word, size - 1);
}

// *o of the paper: consonant, vowel, consonant other than w, x and y. NLTK: also a vowel and a
// consonant that are the whole word.
bool ends_in_short_syllable(std::string_view word) {
  const std::size_t size = word.size();
  if (size == 2) return !is_consonant(word, 0) && is_consonant(word, 1);
  return size >= 3 && is_consonant(word, size - 3) && !is_consonant(word, size - 2) &&
         is_consonant(word, size - 1) &&
         std::string_view("wxy").find(word[size - 1]) == std::string_view::npos;
}

struct Rule {
  std::string_view suffix, replacement;
  int least_measure = 0;    // of what stands before the suffix
  std::size_t counted = 0;  // letters of the suffix that belong to what is measured
};

// The first rule whose suffix matches decides, also if its condition does not hold.
void replace_suffix(std::string& word, std::span<const Rule> rules) {
  for (const Rule& rule : rules) {
    if (!word.ends_with(rule.suffix)) continue;
    const std::size_t stem = word.size() - rule.suffix.size();
    const std::string_view measured(word.data(), stem + rule.counted);
    if (measure(measured) >= rule.least_measure) word.replace(stem, word.npos, rule.replacement);
    return;
  }
}

void remove_plural(std::string& word) {  // step 1a
  static constexpr Rule kRules[] = {{"sses", "ss"}, {"ies", "i"}, {"ss", "ss"}, {"s", ""}};
  if (word.size() == 4 && word.ends_with("ies")) {  // NLTK
    word.pop_back();
  } else {
    replace_suffix(word, kRules);
  }
}

// What follows the removal of "ed" or "ing".
void restore_ending(std::string& word) {
  for (std::string_view ending : {"at", "bl", "iz"}) {
    if (!word.ends_with(ending)) continue;
    word += 'e';
    return;
  }
  if (ends_in_double_consonant(word)) {
    if (std::string_view("lsz").find(word.back()) == std::string_view::npos) word.pop_back();
  } else if (measure(word) == 1 && ends_in_short_syllable(word)) {
    word += 'e';
  }
}

void remove_past_or_participle(std::string& word) {  // step 1b
  if (word.ends_with("ied")) {                       // NLTK
    word.erase(word.size() - (word.size() == 4 ? 1 : 2));
    return;
  }
  if (word.ends_with("eed")) {
    static constexpr Rule kRules[] = {{"eed", "ee", 1}};
    replace_suffix(word, kRules);
    return;
  }
  for (std::string_view suffix : {"ed", "ing"}) {
    if (!word.ends_with(suffix)) continue;
    const std::size_t stem = word.size() - suffix.size();
    if (!contains_vowel(std::string_view(word).substr(0, stem))) continue;
    word.erase(stem);
    restore_ending(word);
    return;
  }
}

void turn_y_into_i(std::string& word) {  // step 1c; NLTK: behind a consonant that is not the first
  if (word.size() > 2 && word.back() == 'y' && is_consonant(word, word.size() - 2)) {
    word.back() = 'i';
  }
}

void shorten_double_suffix(std::string& word) {  // step 2
  static constexpr Rule kRules[] = {
      {"ational", "ate", 1}, {"tional", "tion", 1}, {"enci", "ence", 1},   {"anci", "ance", 1},
      {"izer", "ize", 1},    {"bli", "ble", 1},     {"alli", "al", 1},     {"entli", "ent", 1},
      {"eli", "e", 1},       {"ousli", "ous", 1},   {"ization", "ize", 1}, {"ation", "ate", 1},
      {"ator", "ate", 1},    {"alism", "al", 1},    {"iveness", "ive", 1}, {"fulness", "ful", 1},
      {"ousness", "ous", 1}, {"aliti", "al", 1},    {"iviti", "ive", 1},   {"biliti", "ble", 1},
      {"fulli", "ful", 1},   {"logi", "log", 1, 1}};  // NLTK: the last two
  // NLTK: what is left of "alli" is looked at again.
  if (word.ends_with("alli") && measure(std::string_view(word).substr(0, word.size() - 4)) > 0) {
    word.erase(word.size() - 2);
  }
  replace_suffix(word, kRules);
}

void shorten_suffix(std::string& word) {  // step 3
  static constexpr Rule kRules[] = {{"icate", "ic", 1}, {"ative", "", 1},  {"alize", "al", 1},
                                    {"iciti", "ic", 1}, {"ical", "ic", 1}, {"ful", "", 1},
                                    {"ness", "", 1}};
  replace_suffix(word, kRules);
}

void remove_suffix(std::string& word) {  // step 4
  static constexpr Rule kRules[] = {
      {"al", "", 2},   {"ance", "", 2},     {"ence", "", 2},     {"er", "", 2},    {"ic", "", 2},
      {"able", "", 2}, {"ible", "", 2},     {"ant", "", 2},      {"ement", "", 2}, {"ment", "", 2},
      {"ent", "", 2},  {"sion", "s", 2, 1}, {"tion", "t", 2, 1}, {"ou", "", 2},    {"ism", "", 2},
      {"ate", "", 2},  {"iti", "", 2},      {"ous", "", 2},      {"ive", "", 2},   {"ize", "", 2}};
  replace_suffix(word, kRules);
}

void tidy_up(std::string& word) {  // step 5
  if (word.ends_with('e')) {
    const std::string_view stem = std::string_view(word).substr(0, word.size() - 1);
    const int m = measure(stem);
    if (m > 1 || (m == 1 && !ends_in_short_syllable(stem))) word.pop_back();
  }
  static constexpr Rule kRules[] = {{"ll", "l", 2, 1}};
  replace_suffix(word, kRules);
}

// NLTK: words that the rules would take for something else.
const std::map<std::string_view, std::string_view>& irregular_stems() {
  static const std::map<std::string_view, std::string_view> kStems = {
      {"sky", "sky"},        {"skies", "sky"},        {"dying", "die"},
      {"lying", "lie"},      {"tying", "tie"},        {"news", "news"},
      {"innings", "inning"}, {"inning", "inning"},    {"outings", "outing"},
      {"outing", "outing"},  {"cannings", "canning"}, {"canning", "canning"},
      {"howe", "howe"},      {"proceed", "proceed"},  {"exceed", "exceed"},
      {"succeed", "succeed"}};
  return kStems;
}

}  // namespace

std::string porter_stem(std::string word) {
  const auto irregular = irregular_stems().find(word);
  if (irregular != irregular_stems().end()) return std::string(irregular->second);
  if (word.size() <= 2) return word;
  remove_plural(word);
  remove_past_or_participle(word);
  turn_y_into_i(word);
  shorten_double_suffix(word);
  shorten_suffix(word);
  remove_suffix(word);
  tidy_up(word);
  return word;
}

}  // namespace ty
