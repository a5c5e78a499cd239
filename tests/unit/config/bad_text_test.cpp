// What is refused in the text of a file, in its layers and on the command line.
#include "tests/unit/config/bad_case.h"

namespace ty::test {
namespace {

using namespace std::string_literals;

TEST(BadText, AFileStartsWithItsSchema) {
  const BadCase cases[] = {
      {"Empty file", "", {}, "a.yaml:1:1: empty; a job file starts with \"schema: 1\""},
      {"Only a comment",
       "# nothing\n",
       {},
       "a.yaml:1:1: empty; a job file starts with \"schema: 1\""},
      {"Schema missing",
       "model: {layers: 2}\n",
       {},
       "a.yaml:1:1: schema: missing; a job file starts with \"schema: 1\""},
      {"Schema not first",
       "title: x\nschema: 1\n",
       {},
       "a.yaml:2:1: schema: must be the first key"},
      {"Schema of another version",
       "schema: 2\n",
       {},
       "a.yaml:1:9: schema: want 1, the only version that this program reads"},
      {"Schema as text",
       "schema: \"1\"\n",
       {},
       "a.yaml:1:9: schema: want 1, the only version that this program reads"},
      {"A list at the top",
       "- schema: 1\n",
       {},
       "a.yaml:1:1: want a map of sections that starts with \"schema: 1\""},
      {"A scalar at the top",
       "hello\n",
       {},
       "a.yaml:1:1: want a map of sections that starts with \"schema: 1\""},
  };
  expect_errors(cases);
}

TEST(BadText, KeysAreKnownAndStatedOnce) {
  const BadCase cases[] = {
      {"Unknown section",
       "schema: 1\nmodle: {layers: 2}\n",
       {},
       "a.yaml:2:1: modle: unknown key; known: title, fruit, second, ranks, words, files, model, "
       "optim, rules (did you mean \"model\"?)"},
      {"Unknown key",
       "schema: 1\noptim:\n  name: sgd\n  lrr: 1\n",
       {},
       "a.yaml:4:3: optim.lrr: unknown key; known: name, lr, momentum, limit (did you mean "
       "\"lr\"?)"},
      {"Unknown key, swapped letters",
       "schema: 1\nmodel: {heasd: 2}\n",
       {},
       "a.yaml:2:9: model.heasd: unknown key; known: from, layers, width, heads, tied (did you "
       "mean \"heads\"?)"},
      {"Unknown key, nothing near",
       "schema: 1\nmodel: {zebra: 2}\n",
       {},
       "a.yaml:2:9: model.zebra: unknown key; known: from, layers, width, heads, tied"},
      {"Key of another section",
       "schema: 1\nlr: 1\n",
       {},
       "a.yaml:2:1: lr: unknown key; known: title, fruit, second, ranks, words, files, model, "
       "optim, rules (did you mean \"optim.lr\"?)"},
      {"Unknown key at the command line",
       "schema: 1\n",
       {"optim.lrr=1"},
       "command line: optim.lrr: unknown key; known: name, lr, betas, limit (did you mean "
       "\"lr\"?)"},
      {"Duplicate key",
       "schema: 1\nmodel:\n  layers: 2\n  width: 8\n  layers: 3\n",
       {},
       "a.yaml:5:3: model.layers: duplicate key, first stated in line 3; remove one"},
      {"Duplicate section",
       "schema: 1\nmodel: {layers: 2}\nmodel: {layers: 3}\n",
       {},
       "a.yaml:3:1: model: duplicate key, first stated in line 2; remove one"},
      {"Duplicate schema",
       "schema: 1\nschema: 1\n",
       {},
       "a.yaml:2:1: schema: duplicate key, first stated in line 1; remove one"},
  };
  expect_errors(cases);
}

TEST(BadText, OnlyPlainYamlIsRead) {
  const BadCase cases[] = {
      {"Second document",
       "schema: 1\n---\nschema: 1\n",
       {},
       "a.yaml:2:1: a second document starts here; want one document per file"},
      {"Anchor",
       "schema: 1\nmodel: &m {layers: 2}\n",
       {},
       "a.yaml:2:8: model: anchors (&) are not allowed; write the value out"},
      {"Anchor and alias",
       "schema: 1\nmodel: {layers: &n 2, heads: *n}\n",
       {},
       "a.yaml:2:17: model.layers: anchors (&) are not allowed; write the value out\n"
       "a.yaml:2:30: model.heads: aliases (*) are not allowed; write the value out"},
      {"Unknown alias",
       "schema: 1\nmodel: *m\n",
       {},
       "a.yaml:2:8: not valid YAML (the referenced anchor is not defined)"},
      {"Cyclic alias",
       "schema: 1\nwords: &a [x, *a]\n",
       {},
       "a.yaml:2:8: words: anchors (&) are not allowed; write the value out\n"
       "a.yaml:2:15: words[1]: aliases (*) are not allowed; write the value out"},
      {"Merge key",
       "schema: 1\nmodel: {<<: {layers: 2}}\n",
       {},
       "a.yaml:2:9: model.<<: merge keys are not allowed; use extends: [file.yaml]"},
      {"Tag",
       "schema: 1\nmodel: {layers: !!int 2}\n",
       {},
       "a.yaml:2:17: model.layers: tags (!) are not allowed; write the plain value"},
      {"Tab", "schema: 1\nmodel:\n	layers: 2\n", {}, "a.yaml:3:1: tab character; use spaces"},
      {"NUL",
       "schema: 1\ntitle: a\0b\n"s,
       {},
       "a.yaml:2:9: control character 0x00; want plain text"},
      {"Escape character",
       "schema: 1\ntitle: a\x1b"
       "[0m\n",
       {},
       "a.yaml:2:9: control character 0x1b; want plain text"},
      {"Byte-order mark",
       "\xef"
       "\xbb"
       "\xbf"
       "schema: 1\n",
       {},
       "a.yaml:1:1: starts with a byte-order mark; save the file as UTF-8 without one"},
      {"UTF-16",
       "\xff"
       "\xfe"
       "s\0c\0"s,
       {},
       "a.yaml:1:1: UTF-16 text; save the file as UTF-8"},
      {"Latin-1",
       "schema: 1\ntitle: caf\xe9"
       "\n",
       {},
       "a.yaml:2:11: byte 0xe9 is not UTF-8; save the file as UTF-8"},
      {"Overlong UTF-8",
       "schema: 1\ntitle: \xc0"
       "\xaf"
       "\n",
       {},
       "a.yaml:2:8: byte 0xc0 is not UTF-8; save the file as UTF-8"},
      {"Unclosed flow map",
       "schema: 1\nmodel: {layers: 2\n",
       {},
       "a.yaml:3:1: not valid YAML (end of map flow not found)"},
      {"Unclosed quote",
       "schema: 1\ntitle: \"x\n",
       {},
       "a.yaml:2:8: title: the quote that starts here is never closed"},
      {"Unclosed single quote",
       "schema: 1\ntitle: 'x''\nfruit: apple\n",
       {},
       "a.yaml:2:8: title: the quote that starts here is never closed"},
      {"Bad indentation",
       "schema: 1\nmodel:\n  layers: 2\n width: 3\n",
       {},
       "a.yaml:4:2: not valid YAML (end of map not found)"},
      {"Escape of nothing",
       "schema: 1\ntitle: \"a\\",
       {},
       "a.yaml:2:12: not valid YAML (\"unknown escape character: \\u0004\")"},
      {"Key that is a list", "schema: 1\n? [a]\n: 1\n", {}, "a.yaml:2:3: a key must be a word"},
  };
  expect_errors(cases);
}

TEST(BadText, OverridesAreReadAndCheckedLikeFiles) {
  const BadCase cases[] = {
      {"Override without =",
       "schema: 1\n",
       {"optim.lr"},
       "command line: optim.lr: want an override as section.key=value"},
      {"Override without key",
       "schema: 1\n",
       {"=1"},
       "command line: want an override as section.key=value"},
      {"Override with an empty word",
       "schema: 1\n",
       {"optim..lr=1"},
       "command line: optim..lr: want an override as section.key=value"},
      {"Override with a bad value",
       "schema: 1\n",
       {"model.layers=two"},
       "command line: model.layers: got two; want an integer >= 1"},
      {"Override with nothing",
       "schema: 1\n",
       {"model.layers="},
       "command line: model.layers: got nothing; want an integer >= 1"},
      {"Override with broken YAML",
       "schema: 1\n",
       {"optim.betas=[0.9"},
       "command line: optim.betas: not valid YAML (end of sequence flow not found)"},
      {"Override below a scalar",
       "schema: 1\n",
       {"optim.lr.x=1"},
       "command line: optim.lr: got a map; want a number > 0"},
      {"Override of a section by a scalar",
       "schema: 1\n",
       {"optim=1"},
       "command line: optim: got 1; want a map of keys"},
      {"Override with an anchor",
       "schema: 1\n",
       {"title=&a x"},
       "command line: title: anchors (&) are not allowed; write the value out"},
      {"Override with two documents",
       "schema: 1\n",
       {"title=a\n---\nb"},
       "command line: title: a second document starts here; want one document per file"},
      {"Override checked with the file",
       "schema: 1\nmodel: {width: 8}\n",
       {"model.heads=3"},
       "command line: model.heads: 3 does not divide width = 8"},
      {"Schema on the command line",
       "schema: 1\n",
       {"schema=1"},
       "command line: schema: unknown key; known: title, fruit, second, ranks, words, files, "
       "model, optim, rules"},
  };
  expect_errors(cases);
}

TEST(BadText, ExtendsIsAListOfReadableFiles) {
  const BadCase cases[] = {
      {"Extends is no list",
       "schema: 1\nextends: a.yaml\n",
       {},
       "a.yaml:2:10: extends: want a list of paths, as in [base.yaml]"},
      {"Extends a missing file",
       "schema: 1\nextends: [no-such-file.yaml]\n",
       {},
       "a.yaml:2:11: extends[0]: cannot read no-such-file.yaml: No such file or directory"},
  };
  expect_errors(cases);
}

}  // namespace
}  // namespace ty::test
