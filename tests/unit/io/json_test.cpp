#include "core/io/json.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/support/messages.h"

namespace ty {
namespace {

using test::contains;
using test::message_of;

TEST(Json, ReadsOrdinaryDocuments) {
  const auto document = parse_json(R"({"a": [1, {"b": null}], "c": {"a": "x"}})", "f");
  EXPECT_EQ(document["a"][0], 1);
  EXPECT_EQ(document["c"]["a"], "x");
}

TEST(Json, RefusesRepeatedKeysAtEveryLevel) {
  EXPECT_EQ(message_of<DataError>([] { parse_json(R"({"a": 1, "a": 1})", "f.json"); }),
            "f.json: key \"a\" appears twice in one object; each may appear once");
  EXPECT_THROW(parse_json(R"({"x": [{"a": 1, "\u0061": 2}]})", "f"), DataError);
}

TEST(Json, RefusesWhatIsNotOneDocument) {
  for (const char* bad : {"", "{", "{} {}", "{}x", "{\"a\" 1}", "{\"\xff\": 1}", "nul", "{'a': 1}",
                          "[1,]", "{\"a\": 1e999}", "{\"a\": NaN}", "\"\x01\""}) {
    EXPECT_THROW(parse_json(bad, "f"), DataError) << bad;
  }
  EXPECT_THROW(parse_json(std::string_view("{}\0", 3), "f"), DataError);
}

TEST(Json, RefusesDeepNestingWithoutWalkingIt) {
  const std::string deep(1 << 20, '[');
  EXPECT_TRUE(contains(message_of<DataError>([&] { parse_json(deep, "f"); }), "deeper than 32"));
}

TEST(Json, QuotedNamesStayShortAndOnOneLine) {
  EXPECT_EQ(in_quotes("a\nb\"c"), R"("a\nb\"c")");
  EXPECT_EQ(in_quotes("\xff"), R"("\ufffd")");
  EXPECT_LT(in_quotes(std::string(1000, 'x')).size(), 120u);
}

}  // namespace
}  // namespace ty
