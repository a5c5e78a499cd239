// Good files, layers, overrides and origins; hostile files within their time.
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>

#include "core/base/error.h"
#include "tests/support/messages.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/config/sample.h"

namespace ty::test {
namespace {

using config::load;
using config::Origins;
using config::parse;

void write(const std::filesystem::path& path, std::string_view text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

std::string error_of(const std::filesystem::path& file, const config::Overrides& overrides = {}) {
  return message_of<ConfigError>([&] { load<Sample>(file, overrides); });
}

TEST(Load, ReadsEveryTypeOfMember) {
  const Sample s = parse<Sample>(R"(# a comment
schema: 1
title: "1: tab\tand \"quotes\""
fruit: banana
second: apple
ranks: 2
words: [no, 'on', 1.5, "null"]
model:
  layers: 3
  width: 1024
  heads: 4
  tied: false
optim: {name: sgd, lr: 2.5e-4, momentum: -1, limit: 1}
rules:
- {match: "*", kind: dense}
- match: a
  kind: svd
  rank: 7
- {match: b, kind: train, in: [2, 3]}
)",
                                 "a.yaml")
                       .value;
  EXPECT_EQ(s.title, "1: tab\tand \"quotes\"");
  EXPECT_EQ(s.fruit, Fruit::banana);
  EXPECT_EQ(s.second, Fruit::apple);
  EXPECT_EQ(s.ranks, 2);
  EXPECT_EQ(s.words, (std::vector<std::string>{"no", "on", "1.5", "null"}));
  EXPECT_EQ(s.model.layers, 3);
  EXPECT_EQ(s.model.width, 1024);
  EXPECT_FALSE(s.model.tied);
  EXPECT_EQ(s.optim.name, "sgd");
  EXPECT_EQ(s.optim.lr, 2.5e-4);
  EXPECT_EQ(s.optim.momentum, -1.0);
  EXPECT_EQ(s.optim.limit, 1.0);
  ASSERT_EQ(s.rules.size(), 3u);
  EXPECT_EQ(s.rules[0].match, "*");
  EXPECT_EQ(s.rules[0].spec.index(), 0u);
  EXPECT_EQ(std::get<SampleLowRank>(s.rules[1].spec).rank, 7);
  EXPECT_EQ(std::get<SampleTrain>(s.rules[2].spec).rank, 0.5);
  EXPECT_EQ(std::get<SampleTrain>(s.rules[2].spec).in, (std::vector<std::int64_t>{2, 3}));
}

TEST(Load, AcceptsHarmlessFormsOfText) {
  for (const char* text :
       {"schema: 1", "schema: 1\r\ntitle: x\r\n", "---\nschema: 1\n", "# c\n\nschema: 1\n...\n",
        "{schema: 1, model: {layers: 2}}", "schema: 1\ntitle: caf\xc3\xa9 \xf0\x9f\x9a\x82\n",
        "schema: 1\ntitle: |\n  two\n  lines\n", "schema: 1\ntitle: 'it''s \"so\"'\n",
        "schema: 1\ntitle: \"a\\\\\"\nfruit: apple\n", "schema: 1\nmodel: {}\nrules: []\n",
        "schema: 1\nsecond: null\nranks: auto\nfiles: []\noptim: {limit: ~}\n",
        "schema: 1\nmodel: {layers: 9223372036854775807, width: 4096}\n"}) {
    SCOPED_TRACE(text);
    EXPECT_NO_THROW(parse<Sample>(text, "a.yaml"));
  }
}

TEST(Load, PathsAreRelativeToTheFileThatStatesThem) {
  const TempDir dir;
  write(dir / "base/base.yaml", "schema: 1\nfiles: [x.txt, ../y.txt, /abs/z.txt]\n");
  write(dir / "a.yaml", "schema: 1\nextends: [base/base.yaml]\nmodel: {from: m/}\n");
  const Sample s = load<Sample>(dir / "a.yaml").value;
  EXPECT_EQ(s.files,
            (std::vector<std::filesystem::path>{dir / "base/x.txt", dir / "y.txt", "/abs/z.txt"}));
  EXPECT_EQ(s.model.from, dir / "m");
  const Sample over = load<Sample>(dir / "a.yaml", {"model.from=m"}).value;
  EXPECT_EQ(over.model.from, std::filesystem::current_path() / "m");
}

TEST(Load, LaterLayersMergeMapsAndReplaceLists) {
  const TempDir dir;
  write(dir / "a.yaml",
        "schema: 1\ntitle: a\nwords: [a, b]\nmodel: {layers: 5, width: 16}\noptim: {lr: 1}\n");
  write(dir / "b.yaml", "schema: 1\ntitle: b\nmodel: {width: 32}\n");
  write(dir / "c.yaml", "schema: 1\nextends: [a.yaml, b.yaml]\nwords: [c]\nmodel: {heads: 4}\n");
  const auto [s, origins] = load<Sample>(dir / "c.yaml", {"optim.lr=0.5", "optim.lr=0.25"});
  EXPECT_EQ(s.title, "b");
  EXPECT_EQ(s.words, std::vector<std::string>{"c"});
  EXPECT_EQ(s.model.layers, 5);
  EXPECT_EQ(s.model.width, 32);
  EXPECT_EQ(s.model.heads, 4);
  EXPECT_EQ(s.optim.lr, 0.25);
  EXPECT_EQ(origins.at("model.layers").str(), (dir / "a.yaml").string() + ":4:17");
  EXPECT_EQ(origins.at("model.width").str(), (dir / "b.yaml").string() + ":3:16");
  EXPECT_EQ(origins.at("optim.lr").str(), "command line");
  EXPECT_FALSE(origins.contains("optim.name"));
}

TEST(Load, ErrorsOfAllLayersComeTogetherInOrder) {
  const TempDir dir;
  write(dir / "base.yaml", "schema: 1\nfruit: pear\nmodel: {layrs: 1}\n");
  write(dir / "a.yaml", "schema: 1\nextends: [base.yaml]\nmodel: {layers: 0}\n");
  const std::string a = (dir / "a.yaml").string(), base = (dir / "base.yaml").string();
  EXPECT_EQ(error_of(dir / "a.yaml", {"optim.lr=x"}),
            a + ":3:17: model.layers: got 0; want an integer >= 1\n" + base +
                ":2:8: fruit: got pear; want one of apple, banana\n" + base +
                ":3:9: model.layrs: unknown key; known: from, layers, width, heads, tied "
                "(did you mean \"layers\"?)\n"
                "command line: optim.lr: got x; want a number > 0");
}

TEST(Load, ALaterLayerThatChoosesAnotherKindDropsTheKeysOfTheOld) {
  const TempDir dir;
  write(dir / "a.yaml", "schema: 1\noptim: {name: adamw, betas: [0.8, 0.9]}\n");
  EXPECT_EQ(load<Sample>(dir / "a.yaml", {"optim.name=sgd"}).value.optim.name, "sgd");
  EXPECT_EQ(error_of(dir / "a.yaml", {"optim.name=sgd", "optim.betas=[0, 0]"}),
            "command line: optim.betas: only used with name: adamw; remove it or change name");
}

TEST(Load, ExtendingItselfIsAnErrorThatShowsTheChain) {
  const TempDir dir;
  write(dir / "a.yaml", "schema: 1\nextends: [sub/b.yaml]\n");
  write(dir / "sub/b.yaml", "schema: 1\nextends: [../a.yaml]\n");
  EXPECT_EQ(error_of(dir / "a.yaml"),
            (dir / "sub/b.yaml").string() +
                ":2:11: extends[0]: extends itself: a.yaml -> b.yaml -> a.yaml");
}

TEST(Load, LayersCannotMultiplyWithoutEnd) {
  const TempDir dir;
  for (int i = 0; i < 10; ++i) {
    write(dir / fmt::format("{}.yaml", i),
          fmt::format("schema: 1\nextends: [{0}.yaml, {0}.yaml]\n", i + 1));
  }
  write(dir / "10.yaml", "schema: 1\n");
  EXPECT_TRUE(contains(error_of(dir / "0.yaml"), "more than 64 files in all"));
}

TEST(Load, UnreadableFilesAreNamed) {
  const TempDir dir;
  EXPECT_EQ(error_of("no/such.yaml"), "cannot read no/such.yaml: No such file or directory");
  EXPECT_EQ(error_of(dir.path()), "cannot read " + dir.path().string() + ": is a directory");
}

TEST(Load, NoFileMeansDefaultsAndOverrides) {
  const Sample s = load<Sample>("", {"model.layers=7", "rules=[{match: x, kind: dense}]",
                                     "title=a=b", "optim={lr: 2, betas: [0, 0]}"})
                       .value;
  EXPECT_EQ(s.model.layers, 7);
  EXPECT_EQ(s.model.width, 8);
  EXPECT_EQ(s.rules.at(0).match, "x");
  EXPECT_EQ(s.title, "a=b");
  EXPECT_EQ(s.optim.lr, 2.0);
}

TEST(Load, ReportsAtMostTwentyErrorsAndTheNumberOfTheRest) {
  std::string text = "schema: 1\nwords: [";
  for (int i = 0; i < 25; ++i) text += "[],";
  const std::string message =
      message_of<ConfigError>([&] { parse<Sample>(text + "]\n", "a.yaml"); });
  EXPECT_EQ(std::count(message.begin(), message.end(), '\n'), 20);
  EXPECT_TRUE(
      message.ends_with("a.yaml:2:66: words[19]: got a list; want a string\n... and 5 more"))
      << message;
}

TEST(Load, HasTheExitCodeOfConfigErrors) {
  try {
    parse<Sample>("schema: 2", "a.yaml");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::config);
  }
}

// Refused at once, in time and without growing: what a hostile or broken file may hold.
TEST(HostileFile, IsRefusedAtOnce) {
  std::string bomb = "schema: 1\na0: &a0 [x, x]\n";
  for (int i = 1; i < 30; ++i) bomb += fmt::format("a{0}: &a{0} [*a{1}, *a{1}]\n", i, i - 1);
  const std::string cyclic = "schema: 1\nwords: &a [x, *a]\n";
  std::string deep_maps = "schema: 1\nmodel: ", deep_items = "schema: 1\nwords:\n  ";
  for (int i = 0; i < 10000; ++i) {
    deep_maps += "{a: ";
    deep_items += "- ";
  }
  const std::string large = "schema: 1\n#" + std::string(1 << 20, 'x');
  const std::pair<std::string, const char*> cases[] = {
      {bomb, "aliases (*) are not allowed"},
      {cyclic, "words[1]: aliases (*) are not allowed"},
      {deep_maps, "nested deeper than 32 levels"},
      {deep_items, "nested deeper than 32 levels"},
      {large, "a.yaml:1:1: larger than 1 MiB"},
  };
  for (const auto& [text, expected] : cases) {
    const auto start = std::chrono::steady_clock::now();
    const std::string message =
        message_of<ConfigError>([&, &bad = text] { parse<Sample>(bad, "a.yaml"); });
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    EXPECT_TRUE(contains(message, expected));
    EXPECT_LT(seconds.count(), 1.0) << expected;  // on a busy machine; expanded, it takes ages
  }
}

TEST(HostileFile, DepthUpToTheLimitIsOnlyUnknown) {
  std::string text = "schema: 1\nzebra: ";
  for (int i = 0; i < 31; ++i) text += "[";
  for (int i = 0; i < 31; ++i) text += "]";
  EXPECT_TRUE(contains(message_of<ConfigError>([&] { parse<Sample>(text, "a.yaml"); }),
                       "zebra: unknown key"));
}

TEST(HostileFile, ManyUnknownKeysTakeLinearTime) {
  std::string keys = "schema: 1\n", rules = "schema: 1\nrules:\n";
  for (int i = 0; i < 50000; ++i) keys += fmt::format("key{}: 1\n", i);
  for (int i = 0; i < 20000; ++i) rules += "  - {match: x, knd: dense, rnk: 4}\n";
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(contains(message_of<ConfigError>([&] { parse<Sample>(keys, "a.yaml"); }),
                       "... and 49980 more"));
  EXPECT_TRUE(contains(message_of<ConfigError>([&] { parse<Sample>(rules, "a.yaml"); }),
                       "... and 59980 more"));
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  EXPECT_LT(seconds.count(), 5.0);  // 0.7 s on a busy core; quadratic work takes minutes
}

// What is found out only after loading stands where its key was stated, or the nearest around it.
TEST(Places, OfErrorsThatAreFoundLater) {
  const auto loaded =
      parse<Sample>("schema: 1\nmodel: {layers: 3}\nrules:\n  - {match: x, kind: dense}\n",
                    "a.yaml", {"optim.lr=2"});
  const auto said_of = [&](const char* key) {
    return message_of<Error>(
        [&] { config::with_places(loaded.origins, [&] { throw IoError(Key{key}, "no {}", 3); }); });
  };
  EXPECT_EQ(said_of("model.layers"), "a.yaml:2:17: model.layers: no 3");
  EXPECT_EQ(said_of("model.width"), "a.yaml:2:1: model.width: no 3");
  EXPECT_EQ(said_of("rules[0].match"), "a.yaml:4:13: rules[0].match: no 3");
  EXPECT_EQ(said_of("rules[0].rank"), "a.yaml:4:5: rules[0].rank: no 3");
  EXPECT_EQ(said_of("rules[7]"), "a.yaml:4:3: rules[7]: no 3");
  EXPECT_EQ(said_of("title"), "a.yaml: title: no 3");
  EXPECT_EQ(said_of("optim.lr"), "command line: optim.lr: no 3");
  EXPECT_EQ(said_of(""), "no 3");
  EXPECT_EQ(config::with_places(loaded.origins, [] { return 5; }), 5);
}

TEST(Places, KeepTheExitCode) {
  const Origins origins;
  EXPECT_EQ(config::placed(IoError(Key{"a"}, "x"), origins).code(), ExitCode::io);
  EXPECT_STREQ(config::placed(DataError("x"), origins).what(), "x");
}

}  // namespace
}  // namespace ty::test
