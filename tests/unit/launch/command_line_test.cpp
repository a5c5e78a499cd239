// What is refused before a verb runs: words that nothing takes, and option values out of range.
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <vector>

#include "launch/cli/verb.h"
#include "models/compress/method.h"
#include "tests/support/messages.h"

namespace ty::test {
namespace {

struct Outcome {
  int code = 0;
  std::string said;  // on stderr
};

Outcome run(std::vector<std::string> words) {
  words.insert(words.begin(), "trainyard");
  std::vector<const char*> argv;
  for (const std::string& word : words) argv.push_back(word.c_str());
  testing::internal::CaptureStderr();
  const int code = run_command_line(static_cast<int>(argv.size()), argv.data());
  return {code, testing::internal::GetCapturedStderr()};
}

void expect_usage(const std::vector<std::string>& words, const std::string& said) {
  const Outcome outcome = run(words);
  EXPECT_EQ(outcome.code, 64) << outcome.said;
  EXPECT_EQ(outcome.said, "trainyard: " + said + "\n");
}

TEST(CommandLine, EveryVerbRefusesAWordTooMany) {
  for (const Verb& verb : verbs()) {
    if (verb.passes_on) continue;
    for (const Form& form : verb.forms) {
      std::vector<std::string> words = {verb.name};
      if (!form.name.empty()) words.push_back(form.name);
      words.insert(words.end(), form.most_words + 1, "extra");
      const Outcome outcome = run(words);
      EXPECT_EQ(outcome.code, 64) << verb.name << " " << form.name;
      EXPECT_TRUE(contains(outcome.said, verb.name + ": \"extra\" is one word too many; "));
    }
  }
}

TEST(CommandLine, SaysHowATornOverrideIsWritten) {
  const std::string hint = " is one word too many; write run.steps=5 without spaces";
  expect_usage({"train", "a.yaml", "run.steps", "=", "5"}, "train: \"run.steps\"" + hint);
  expect_usage({"train", "a.yaml", "run.steps", "=5"}, "train: \"run.steps\"" + hint);
  expect_usage({"train", "a.yaml", "run.steps=", "5"}, "train: \"5\"" + hint);
  expect_usage({"train", "a.yaml", "b.yaml", "optim.lr=1"},
               "train: \"b.yaml\" is one word too many; see trainyard train --help");
  expect_usage({"generate", "model", "The", "cat", "sat"},
               "generate: \"cat\" is one word too many; write a prompt of several words in quotes");
}

TEST(CommandLine, AskForWhatTheFirstWordPicks) {
  expect_usage({"bench"},
               "bench: what to do is missing; one of: step profile generate gemm linear");
  expect_usage({"bench", "stepp"},
               "bench: unknown \"stepp\"; one of: step profile generate gemm linear (did you mean "
               "\"step\"?)");
  expect_usage({"bench", "gemm", "--rank", "3"},
               "bench gemm: --rank means nothing here; it is for bench linear");
  expect_usage({"launch", "-n", "2", "inspect", "x"},
               "launch: inspect does its work in one process; run it without launch");
  expect_usage({"launch", "-n", "2", "bench", "gemm"},
               "launch: bench gemm does its work in one process; run it without launch");
}

struct BadOption {
  std::vector<std::string> words;
  std::string said;
};

// "svd, ttm, .."
std::string method_names() {
  std::vector<std::string_view> names;
  for (const Method& method : methods()) names.push_back(method.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

TEST(CommandLine, OptionsKeepToTheirRange) {
  const std::vector<BadOption> cases = {
      {{"eval", "m", "f", "--sequence", "0"},
       "--sequence: got 0; want an integer >= 1 and <= 1048576"},
      {{"eval", "m", "f", "--sequence", "-5"},
       "--sequence: got -5; want an integer >= 1 and <= 1048576"},
      {{"eval", "m", "f", "--sequence", "nan"},
       "--sequence: got nan; want an integer >= 1 and <= 1048576"},
      {{"eval", "m", "f", "--batch", "0"}, "--batch: got 0; want an integer >= 1 and <= 1048576"},
      {{"eval", "m", "f", "--batch", "1e3"},
       "--batch: got 1e3; want an integer >= 1 and <= 1048576 (did you mean 1000?)"},
      {{"plan", "a.yaml", "--ranks", "0"}, "--ranks: got 0; want an integer >= 1 and <= 65536"},
      {{"plan", "a.yaml", "-n", "-1"}, "--ranks: got -1; want an integer >= 1 and <= 65536"},
      {{"generate", "m", "--temperature", "nan"}, "--temperature: got nan; want a number >= 0"},
      {{"generate", "m", "--temperature", "-1"}, "--temperature: got -1; want a number >= 0"},
      {{"generate", "m", "--temperature", "inf"}, "--temperature: got inf; want a number >= 0"},
      {{"generate", "m", "--top-p", "nan"}, "--top-p: got nan; want a number > 0 and <= 1"},
      {{"generate", "m", "--top-p", "0"}, "--top-p: got 0; want a number > 0 and <= 1"},
      {{"generate", "m", "--top-k", "-1"}, "--top-k: got -1; want an integer >= 0"},
      {{"bench", "linear", "--svd-rank", "-3"},
       "--svd-rank: got -3; want an integer >= 1 and <= 262144"},
      {{"bench", "linear", "--steps", "0"}, "--steps: got 0; want an integer >= 1"},
      {{"bench", "linear", "--in", "8,,3"},
       "--in: got \"\"; want a list of integers >= 1 and <= 262144"},
      {{"launch", "-n", "0", "train", "a.yaml"}, "-n: got 0; want an integer >= 1 and <= 65536"},
      {{"inspect", "a", "--column", "-1"}, "--column: got -1; want an integer >= 0 and <= 1048576"},
      {{"data", "tokenize", "a", "b.bin", "--kind", "bpe", "--vocab", "256"},
       "--vocab: got 256; want an integer >= 257 and <= 16777216"},
      {{"compress", "a", "b", "--method", "tmt", "--rank", "3"},
       "--method: got tmt; want one of " + method_names() + " (did you mean \"ttm\"?)"},
      {{"compress", "a", "b", "--method", "svd", "--keep", "150%"},
       "--keep: got 150%; want a number > 0 and <= 1, or a percentage as 30%"},
      {{"compress", "a", "b", "--method", "svd", "--error", "1"},
       "--error: got 1; want a number >= 0 and < 1, or a percentage as 30%"},
  };
  for (const BadOption& each : cases) expect_usage(each.words, each.said);
}

TEST(CommandLine, ReadsListsAndSharesOfOptions) {
  const OptionSpec modes = {"--in", "LIST", "", kIntegers, config::at_least(1)};
  EXPECT_EQ(parse_option(modes, "8,16,4"),
            (std::vector<config::Scalar>{std::int64_t{8}, std::int64_t{16}, std::int64_t{4}}));
  const OptionSpec keep = {"-k,--keep", "SHARE", "", kNumber, config::Rule{}.above(0).percent()};
  EXPECT_EQ(keep.key(), "--keep");
  EXPECT_EQ(parse_option(keep, "50%"), std::vector<config::Scalar>{0.5});
}

}  // namespace
}  // namespace ty::test
