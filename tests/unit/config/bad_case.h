// A bad job and exactly what the user reads about it.
#pragma once

#include <gtest/gtest.h>

#include <span>
#include <string>

#include "core/base/error.h"
#include "tests/support/messages.h"
#include "tests/unit/config/sample.h"

namespace ty::test {

struct BadCase {
  const char* name;
  std::string text;  // of a.yaml
  config::Overrides overrides;
  std::string errors;  // all lines
};

// Each case must throw its errors, word for word, and print nothing.
inline void expect_errors(std::span<const BadCase> cases) {
  for (const BadCase& bad : cases) {
    SCOPED_TRACE(bad.name);
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const std::string message =
        message_of<ConfigError>([&] { config::parse<Sample>(bad.text, "a.yaml", bad.overrides); });
    EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
    EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
    EXPECT_EQ(message, bad.errors);
  }
}

}  // namespace ty::test
