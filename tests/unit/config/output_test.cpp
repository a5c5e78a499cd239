// What is made from the field lists: resolved YAML, origins, JSON Schema, key reference.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/config/document.h"
#include "core/config/print.h"
#include "tests/support/messages.h"
#include "tests/unit/config/sample.h"

namespace ty::test {
namespace {

using config::parse;
using config::to_yaml;

TEST(ToYaml, PrintsEveryKeyInTheOrderOfTheFieldList) {
  Sample s;
  s.rules = {{"*", SampleDense{}}, {"a b", SampleLowRank{3}}, {"c", SampleTrain{0.25, {2, 3}}}};
  s.files = {"/data/a.txt"};
  s.optim.limit = 1e-8;
  EXPECT_EQ(to_yaml(s), R"(schema: 1
title: "a title"
fruit: apple
second: null
ranks: auto
words: [plain, "with space"]
files: [/data/a.txt]
model:
  from: null
  layers: 2
  width: 8
  heads: 2
  tied: true
optim:
  name: adamw
  lr: 0.001
  betas: [0.9, 0.95]
  limit: 1.0e-08
rules:
  - {match: "*", kind: dense}
  - {match: "a b", kind: svd, rank: 3}
  - {match: c, kind: train, rank: 0.25, in: [2, 3]}
)");
}

TEST(ToYaml, LoadsBackToTheSameValues) {
  Sample s;
  s.fruit = Fruit::banana;
  s.second = Fruit::banana;
  s.ranks = 2;
  s.files = {"/data/with space.txt", "/data/caf\xc3\xa9"};
  s.model = {.from = "", .layers = 1234567890123456789, .width = 15, .heads = 5, .tied = false};
  s.optim.lr = 0.1 + 0.2;
  s.optim.betas = {1.0 / 3.0, 5e-324};
  s.optim.limit = 1.7976931348623157e308;
  s.rules = {{"null", SampleDense{}}, {"{a: [b]}", SampleLowRank{3}}, {"", SampleTrain{1e22, {}}}};
  for (const char* text :
       {"",     " ",        "null", "Null",       "~",           "true",   "no",
        "auto", "1",        "-1.5", "0x1f",       ".nan",        "- a",    "a: b",
        "a #b", "#",        "&a",   "*a",         "!t",          "[",      "{",
        "'",    "\"",       "\\",   "two\nlines", "tab\t",       "cr\r\n", "\x01\x1f\x7f",
        "%x",   "@x",       "`x",   "<<",         "caf\xc3\xa9", "a,b",    "?",
        ": ",   "trailing "}) {
    s.words.emplace_back(text);
    s.title = text;
    const Sample back = parse<Sample>(to_yaml(s), "a.yaml").value;
    EXPECT_EQ(back.title, s.title);
    EXPECT_EQ(back.words, s.words);
    EXPECT_EQ(back.optim.lr, s.optim.lr);
    EXPECT_EQ(back.optim.betas, s.optim.betas);
    EXPECT_EQ(back.optim.limit, s.optim.limit);
    EXPECT_EQ(back.files, s.files);
    EXPECT_EQ(back.rules.at(1).match, s.rules[1].match);
    EXPECT_EQ(to_yaml(back), to_yaml(s));
  }
}

TEST(ToYaml, LeavesOutKeysWhoseConditionDoesNotHold) {
  Sample s;
  s.model.from = "/models/a";
  s.optim.name = "sgd";
  const std::string text = to_yaml(s);
  EXPECT_TRUE(contains(text, "  from: /models/a\n  tied: true\n"));
  EXPECT_TRUE(contains(text, "  lr: 0.001\n  momentum: 0.0\n"));
  EXPECT_EQ(to_yaml(parse<Sample>(text, "a.yaml").value), text);
}

TEST(ToOrigins, SaysWhereEachValueWasStated) {
  const auto [s, origins] =
      parse<Sample>("schema: 1\nmodel:\n  layers: 3\nrules: [{match: a, kind: dense}]\n", "a.yaml",
                    {"optim.lr=2"});
  EXPECT_EQ(config::to_origins(s, origins), R"(title = "a title"              default
fruit = apple                  default
second = null                  default
ranks = auto                   default
words = [plain, "with space"]  default
files = []                     default
model.from = null              default
model.layers = 3               a.yaml:3:11
model.width = 8                default
model.heads = 2                default
model.tied = true              default
optim.name = adamw             default
optim.lr = 2.0                 command line
optim.betas = [0.9, 0.95]      default
optim.limit = null             default
rules[0].match = a             a.yaml:4:17
rules[0].kind = dense          a.yaml:4:26
)");
}

TEST(JsonSchema, DescribesTypesLimitsChoicesAndDefaults) {
  const auto schema = nlohmann::json::parse(config::json_schema<Sample>("sample"));
  EXPECT_EQ(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
  EXPECT_EQ(schema["title"], "sample");
  EXPECT_EQ(schema["required"], nlohmann::json({"schema"}));
  EXPECT_EQ(schema["additionalProperties"], false);
  const auto& top = schema["properties"];
  EXPECT_EQ(top["schema"]["const"], 1);
  EXPECT_EQ(top["fruit"]["enum"], nlohmann::json({"apple", "banana"}));
  EXPECT_EQ(top["fruit"]["default"], "apple");
  EXPECT_EQ(top["ranks"], nlohmann::json::parse(R"({"description": "ranks", "default": "auto",
      "anyOf": [{"type": "integer", "minimum": 1}, {"const": "auto"}]})"));
  EXPECT_EQ(top["words"]["default"], nlohmann::json({"plain", "with space"}));
  EXPECT_EQ(top["model"]["additionalProperties"], false);
  EXPECT_EQ(top["model"]["properties"]["width"],
            nlohmann::json::parse(R"({"description": "width", "type": "integer", "default": 8,
      "minimum": 1, "maximum": 4096})"));
  EXPECT_EQ(top["model"]["properties"]["tied"]["default"], true);
  EXPECT_EQ(top["optim"]["properties"]["lr"]["exclusiveMinimum"], 0);
  const auto& betas = top["optim"]["properties"]["betas"];
  EXPECT_EQ(betas["minItems"], 2);
  EXPECT_EQ(betas["items"]["exclusiveMaximum"], 1);
  EXPECT_TRUE(top["optim"]["properties"].contains("momentum"));
  EXPECT_EQ(top["optim"]["properties"]["limit"]["anyOf"][1]["type"], "null");
}

TEST(JsonSchema, ListItemsHaveTheKeysOfAllKinds) {
  const auto schema = nlohmann::json::parse(config::json_schema<Sample>("sample"));
  const auto& item = schema["properties"]["rules"]["items"];
  EXPECT_EQ(item["required"], nlohmann::json({"match", "kind"}));
  EXPECT_EQ(item["properties"]["kind"]["enum"], nlohmann::json({"dense", "svd", "train"}));
  const auto& rank = item["properties"]["rank"]["anyOf"];
  EXPECT_EQ(rank[0]["type"], "integer");
  EXPECT_EQ(rank[1]["type"], "number");
  EXPECT_FALSE(item["properties"]["match"].contains("default"));
}

TEST(KeyReference, IsATableOfEveryKey) {
  const std::string table = config::key_reference<Sample>();
  EXPECT_TRUE(table.starts_with("| key | allowed | default | meaning |\n| --- |"));
  EXPECT_TRUE(contains(table, "| `optim.lr` | a number > 0 | `0.001` | learning rate |\n"));
  EXPECT_TRUE(
      contains(table, "| `optim.limit` | a number, or null | `null` | a limit \\| or none |"));
  EXPECT_TRUE(contains(table,
                       "| `model.layers` | an integer >= 1 | `2` | number of blocks "
                       "(only without from) |"));
  EXPECT_TRUE(contains(table, "| `rules[].kind` | one of dense, svd, train | required |"));
  EXPECT_TRUE(contains(table,
                       "| `rules[].rank` | an integer >= 1 | required | columns kept "
                       "(only with kind: svd) |"));
}

}  // namespace
}  // namespace ty::test
