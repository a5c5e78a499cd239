#include "core/io/json.h"

#include <gtest/gtest.h>

#include <chrono>

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

// A header of 100,000 tensors is 6 MB. In time that grew with the square of it, this took minutes.
TEST(Json, ReadsWideDocumentsInTimeThatGrowsWithTheirSize) {
  std::string wide = "{", list = "[";
  for (int i = 0; i < 100'000; ++i) {
    const char* comma = i == 0 ? "" : ",";
    wide += fmt::format("{}\"t{}\":{{\"dtype\":\"F32\",\"shape\":[{},2],\"x\":null}}", comma, i, i);
    list += fmt::format("{}[{}]", comma, i);
  }
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(parse_json(wide + "}", "f")["t99999"]["shape"][0], 99999);
  EXPECT_EQ(parse_json(list + "]", "f")[99999][0], 99999);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

TEST(Json, QuotedNamesStayShortAndOnOneLine) {
  EXPECT_EQ(in_quotes("a\nb\"c"), R"("a\nb\"c")");
  EXPECT_EQ(in_quotes("\xff"), R"("\ufffd")");
  EXPECT_LT(in_quotes(std::string(1000, 'x')).size(), 120u);
}

}  // namespace
}  // namespace ty
