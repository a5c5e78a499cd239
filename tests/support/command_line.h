// Whole command lines of the product, run in the test's own process: for what a test adds to it.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <vector>

#include "launch/cli/verb.h"

namespace ty::test {

struct CommandOutcome {
  int code;
  std::string out, err;
};

inline CommandOutcome run_command(std::vector<std::string> words) {
  words.insert(words.begin(), "trainyard");
  std::vector<const char*> argv;
  for (const std::string& word : words) argv.push_back(word.c_str());
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const int code = run_command_line(static_cast<int>(argv.size()), argv.data());
  std::fflush(stdout);
  return {code, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
}

// What it prints; it must succeed.
inline std::string output_of(const std::vector<std::string>& words) {
  const CommandOutcome outcome = run_command(words);
  EXPECT_EQ(outcome.code, 0) << words[0] << ": " << outcome.err;
  return outcome.out;
}

}  // namespace ty::test
