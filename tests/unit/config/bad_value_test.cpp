// What is refused in values, sections, alternatives and cross-field checks.
#include "tests/unit/config/bad_case.h"

namespace ty::test {
namespace {

using namespace std::string_literals;

TEST(BadValue, IntegersArePlainDecimals) {
  const BadCase cases[] = {
      {"Octal-looking integer",
       "schema: 1\nmodel: {layers: 010}\n",
       {},
       "a.yaml:2:17: model.layers: got 010; want an integer >= 1, without leading zeros"},
      {"Float for an integer",
       "schema: 1\nmodel: {layers: 1.5}\n",
       {},
       "a.yaml:2:17: model.layers: got 1.5; want an integer >= 1"},
      {"Exponent for an integer",
       "schema: 1\nmodel: {layers: 1e3}\n",
       {},
       "a.yaml:2:17: model.layers: got 1e3; want an integer >= 1 (did you mean 1000?)"},
      {"Underscores in an integer",
       "schema: 1\nmodel: {width: 1_024}\n",
       {},
       "a.yaml:2:16: model.width: got 1_024; want an integer >= 1 and <= 4096 (did you mean "
       "1024?)"},
      {"Hexadecimal integer",
       "schema: 1\nmodel: {layers: 0x10}\n",
       {},
       "a.yaml:2:17: model.layers: got 0x10; want an integer >= 1"},
      {"Plus sign",
       "schema: 1\nmodel: {layers: +2}\n",
       {},
       "a.yaml:2:17: model.layers: got +2; want an integer >= 1"},
      {"Integer beyond 64 bits",
       "schema: 1\nmodel: {layers: 9223372036854775808}\n",
       {},
       "a.yaml:2:17: model.layers: got 9223372036854775808; want an integer >= 1 that fits into 64 "
       "bits"},
      {"Integer in quotes",
       "schema: 1\nmodel: {layers: \"2\"}\n",
       {},
       "a.yaml:2:17: model.layers: got \"2\"; want an integer >= 1, without quotes"},
      {"Integer out of range",
       "schema: 1\nmodel: {layers: 0, width: 5000}\n",
       {},
       "a.yaml:2:17: model.layers: got 0; want an integer >= 1\n"
       "a.yaml:2:27: model.width: got 5000; want an integer >= 1 and <= 4096"},
      {"Word for an integer",
       "schema: 1\nmodel: {layers: many}\n",
       {},
       "a.yaml:2:17: model.layers: got many; want an integer >= 1"},
      {"Nothing for an integer",
       "schema: 1\nmodel:\n  layers:\n  width: 8\n",
       {},
       "a.yaml:3:3: model.layers: got nothing; want an integer >= 1"},
      {"null for an integer",
       "schema: 1\nmodel: {layers: null}\n",
       {},
       "a.yaml:2:9: model.layers: got nothing; want an integer >= 1"},
      {"List for an integer",
       "schema: 1\nmodel: {layers: [2]}\n",
       {},
       "a.yaml:2:17: model.layers: got a list; want an integer >= 1"},
      {"Map for an integer",
       "schema: 1\nmodel: {layers: {n: 2}}\n",
       {},
       "a.yaml:2:17: model.layers: got a map; want an integer >= 1"},
  };
  expect_errors(cases);
}

TEST(BadValue, NumbersAreFinite) {
  const BadCase cases[] = {
      {"NaN",
       "schema: 1\noptim: {lr: .nan}\n",
       {},
       "a.yaml:2:13: optim.lr: got .nan; want a number > 0"},
      {"nan spelled otherwise",
       "schema: 1\noptim: {lr: nan}\n",
       {},
       "a.yaml:2:13: optim.lr: got nan; want a number > 0"},
      {"Infinity",
       "schema: 1\noptim: {lr: .inf}\n",
       {},
       "a.yaml:2:13: optim.lr: got .inf; want a number > 0"},
      {"Number too large",
       "schema: 1\noptim: {lr: 1e999}\n",
       {},
       "a.yaml:2:13: optim.lr: got 1e999; want a number > 0 that a double can hold"},
      {"Number out of range",
       "schema: 1\noptim: {lr: -1}\n",
       {},
       "a.yaml:2:13: optim.lr: got -1; want a number > 0"},
      {"Zero where positive",
       "schema: 1\noptim: {lr: 0.0}\n",
       {},
       "a.yaml:2:13: optim.lr: got 0.0; want a number > 0"},
      {"Version for a number",
       "schema: 1\noptim: {lr: 1.2.3}\n",
       {},
       "a.yaml:2:13: optim.lr: got 1.2.3; want a number > 0"},
      {"Number too small",
       "schema: 1\noptim: {lr: 1e-999}\n",
       {},
       "a.yaml:2:13: optim.lr: got 1e-999; want a number > 0 that a double can hold"},
      {"Number with a unit",
       "schema: 1\noptim: {lr: 3e-4x}\n",
       {},
       "a.yaml:2:13: optim.lr: got 3e-4x; want a number > 0"},
  };
  expect_errors(cases);
}

TEST(BadValue, FlagsAreTrueOrFalse) {
  const BadCase cases[] = {
      {"yes for a flag",
       "schema: 1\nmodel: {tied: yes}\n",
       {},
       "a.yaml:2:15: model.tied: got yes; want true or false (did you mean true?)"},
      {"1 for a flag",
       "schema: 1\nmodel: {tied: 1}\n",
       {},
       "a.yaml:2:15: model.tied: got 1; want true or false (did you mean true?)"},
      {"Flag in quotes",
       "schema: 1\nmodel: {tied: \"true\"}\n",
       {},
       "a.yaml:2:15: model.tied: got \"true\"; want true or false, without quotes"},
  };
  expect_errors(cases);
}

TEST(BadValue, ChoicesAreListedAndSuggested) {
  const BadCase cases[] = {
      {"Misspelt choice",
       "schema: 1\noptim: {name: adamv}\n",
       {},
       "a.yaml:2:15: optim.name: got adamv; want one of adamw, sgd (did you mean \"adamw\"?)"},
      {"Unknown choice",
       "schema: 1\noptim: {name: lion}\n",
       {},
       "a.yaml:2:15: optim.name: got lion; want one of adamw, sgd"},
      {"Misspelt enum",
       "schema: 1\nfruit: aple\n",
       {},
       "a.yaml:2:8: fruit: got aple; want one of apple, banana (did you mean \"apple\"?)"},
      {"Wrong optional enum",
       "schema: 1\nsecond: pear\n",
       {},
       "a.yaml:2:9: second: got pear; want one of apple, banana, or null"},
  };
  expect_errors(cases);
}

TEST(BadValue, ListsAndWordsHaveTheirForm) {
  const BadCase cases[] = {
      {"List too short",
       "schema: 1\noptim: {betas: [0.9]}\n",
       {},
       "a.yaml:2:16: optim.betas: got 1 item; want a list of 2 numbers >= 0 and < 1"},
      {"Item out of range",
       "schema: 1\noptim: {betas: [0.9, 1.0]}\n",
       {},
       "a.yaml:2:22: optim.betas[1]: got 1.0; want a number >= 0 and < 1"},
      {"Item of another type",
       "schema: 1\noptim: {betas: [0.9, x]}\n",
       {},
       "a.yaml:2:22: optim.betas[1]: got x; want a number >= 0 and < 1"},
      {"Scalar for a list",
       "schema: 1\nwords: one\n",
       {},
       "a.yaml:2:8: words: got one; want a list of strings"},
      {"Nested list",
       "schema: 1\nwords: [[a]]\n",
       {},
       "a.yaml:2:9: words[0]: got a list; want a string"},
      {"Empty path",
       "schema: 1\nmodel: {from: \"\"}\n",
       {},
       "a.yaml:2:15: model.from: got \"\"; want a path, or null"},
      {"Auto misspelt",
       "schema: 1\nranks: atuo\n",
       {},
       "a.yaml:2:8: ranks: got atuo; want an integer >= 1, or auto"},
      {"Auto in quotes",
       "schema: 1\nranks: \"auto\"\n",
       {},
       "a.yaml:2:8: ranks: got \"auto\"; want an integer >= 1, or auto, without quotes"},
  };
  expect_errors(cases);
}

TEST(BadValue, SectionsAreMapsAndKeysKeepTheirConditions) {
  const BadCase cases[] = {
      {"Scalar for a section",
       "schema: 1\nmodel: 3\n",
       {},
       "a.yaml:2:8: model: got 3; want a map of keys"},
      {"Empty section",
       "schema: 1\nmodel:\noptim: {lr: 1}\n",
       {},
       "a.yaml:2:1: model: got nothing; want a map of keys"},
      {"List for a section",
       "schema: 1\nmodel: [1]\n",
       {},
       "a.yaml:2:8: model: got a list; want a map of keys"},
      {"Key without its condition",
       "schema: 1\noptim: {name: sgd, betas: [0.9, 0.95]}\n",
       {},
       "a.yaml:2:20: optim.betas: only used with name: adamw; remove it or change name"},
      {"Key with two conditions",
       "schema: 1\nmodel:\n  from: dir\n  layers: 2\n  heads: 2\n",
       {},
       "a.yaml:4:3: model.layers: only used without from; remove it or change from\n"
       "a.yaml:5:3: model.heads: only used without from; remove it or change from"},
      {"Wrong selector silences its keys",
       "schema: 1\noptim: {name: sdg, momentum: 0.5}\n",
       {},
       "a.yaml:2:15: optim.name: got sdg; want one of adamw, sgd (did you mean \"sgd\"?)"},
  };
  expect_errors(cases);
}

TEST(BadValue, RulesHaveAKindAndItsKeys) {
  const BadCase cases[] = {
      {"Map for rules",
       "schema: 1\nrules: {match: x, kind: dense}\n",
       {},
       "a.yaml:2:8: rules: got a map; want a list of maps"},
      {"Scalar rule",
       "schema: 1\nrules: [dense]\n",
       {},
       "a.yaml:2:9: rules[0]: got dense; want a map of keys"},
      {"Rule without match",
       "schema: 1\nrules:\n  - {kind: dense}\n",
       {},
       "a.yaml:3:5: rules[0].match: missing; want a string"},
      {"Rule without kind",
       "schema: 1\nrules:\n  - {match: x, rank: 3}\n",
       {},
       "a.yaml:3:5: rules[0].kind: missing; want one of dense, svd, train"},
      {"Rule of unknown kind",
       "schema: 1\nrules:\n  - {match: a, kind: dense}\n  - {match: b, kind: svdd, rank: 3}\n",
       {},
       "a.yaml:4:22: rules[1].kind: got svdd; want one of dense, svd, train (did you mean "
       "\"svd\"?)"},
      {"Key of another kind",
       "schema: 1\nrules:\n  - {match: a, kind: dense, rank: 3}\n",
       {},
       "a.yaml:3:29: rules[0].rank: only used with kind: svd or with kind: train; remove it or "
       "change kind"},
      {"Required key of a kind",
       "schema: 1\nrules: [{match: a, kind: svd}]\n",
       {},
       "a.yaml:2:9: rules[0].rank: missing; want an integer >= 1"},
      {"Limits of a kind",
       "schema: 1\nrules: [{match: a, kind: svd, rank: 0.5}, {match: b, kind: train, rank: -1}]\n",
       {},
       "a.yaml:2:37: rules[0].rank: got 0.5; want an integer >= 1\n"
       "a.yaml:2:73: rules[1].rank: got -1; want a number > 0"},
      {"Unknown key of a rule",
       "schema: 1\nrules: [{match: a, kind: train, rnak: 1}]\n",
       {},
       "a.yaml:2:33: rules[0].rnak: unknown key; known: match, kind, rank, in (did you mean "
       "\"rank\"?)"},
  };
  expect_errors(cases);
}

TEST(BadValue, ChecksAreAttachedToKeys) {
  const BadCase cases[] = {
      {"Check of a section",
       "schema: 1\nmodel:\n  width: 9\n  heads: 2\n",
       {},
       "a.yaml:4:10: model.heads: 2 does not divide width = 9"},
      {"Check placed at the section",
       "schema: 1\nmodel:\n  width: 9\n",
       {},
       "a.yaml:2:1: model.heads: 2 does not divide width = 9"},
      {"Check between sections",
       "schema: 1\nranks: 4\nmodel: {layers: 3}\n",
       {},
       "a.yaml:2:8: ranks: 4 is more than model.layers = 3"},
      {"Check at a nested key",
       "schema: 1\noptim:\n  limit: 1.0e-4\n  lr: 1.0e-3\n",
       {},
       "a.yaml:4:7: optim.lr: 0.001 is more than optim.limit = 0.0001"},
      {"No check after errors",
       "schema: 1\nranks: 4\nmodel: {layers: x}\n",
       {},
       "a.yaml:3:17: model.layers: got x; want an integer >= 1"},
      {"Many errors, sorted",
       "schema: 1\noptim: {lr: -1, name: x}\nmodel:\n  layers: 0\n  zebra: 1\ntitle: [a]\n",
       {"ranks=0", "fruit=pear"},
       "a.yaml:2:13: optim.lr: got -1; want a number > 0\n"
       "a.yaml:2:23: optim.name: got x; want one of adamw, sgd\n"
       "a.yaml:4:11: model.layers: got 0; want an integer >= 1\n"
       "a.yaml:5:3: model.zebra: unknown key; known: from, layers, width, heads, tied\n"
       "a.yaml:6:8: title: got a list; want a string\n"
       "command line: fruit: got pear; want one of apple, banana\n"
       "command line: ranks: got 0; want an integer >= 1, or auto"},
  };
  expect_errors(cases);
}

TEST(BadValue, ValuesAreShownOnOneLine) {
  const BadCase cases[] = {
      {"Long value",
       "schema: 1\nfruit: "
       "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
       "xxxxxxxxx\n",
       {},
       "a.yaml:2:8: fruit: got xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...; "
       "want one of apple, banana"},
      {"Value of two lines",
       "schema: 1\nfruit: \"a\\nb\"\n",
       {},
       "a.yaml:2:8: fruit: got \"a\\nb\"; want one of apple, banana"},
  };
  expect_errors(cases);
}

}  // namespace
}  // namespace ty::test
