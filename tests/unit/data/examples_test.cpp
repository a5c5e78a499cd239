#include "core/data/tasks/examples.h"

#include <gtest/gtest.h>

#include <fstream>

#include "core/base/error.h"
#include "tests/support/messages.h"
#include "tests/support/temp_dir.h"

namespace ty::test {
namespace {

class ExampleFiles : public testing::Test {
 protected:
  TempDir temp_;
  std::string said_;

  ExampleSet read(const std::string& name, const std::string& text, const ExampleFormat& format) {
    std::ofstream(temp_ / name, std::ios::binary) << text;
    return read_examples(temp_ / name, format, [&](const std::string& note) { said_ += note; });
  }
  std::string refusal(const std::string& name, const std::string& text,
                      const ExampleFormat& format) {
    return message_of<DataError>([&] { read(name, text, format); });
  }
};

const ExampleFormat kPairs{
    .first = "premise", .second = "claim", .answer = "label", .kind = AnswerKind::label};
const ExampleFormat kScores{.first = "text", .answer = "score", .kind = AnswerKind::value};
const ExampleFormat kSummaries{
    .first = "article", .answer = "highlights", .kind = AnswerKind::target};

TEST_F(ExampleFiles, ColumnsAreFoundByTheirNames) {
  const ExampleSet set =
      read("a.tsv", "label\tclaim\tid\tpremise\r\nno\tb b\t7\t\"a\r\nyes\t\t8\tc\n\n", kPairs);
  EXPECT_EQ(set.labels, (std::vector<std::string>{"no", "yes"}));
  ASSERT_EQ(set.examples.size(), 2u);
  EXPECT_EQ(set.examples[0],
            (TextExample{.first = "\"a", .second = "b b", .label = 0, .target = {}}))
      << "quotes are text";
  EXPECT_EQ(set.examples[1], (TextExample{.first = "c", .second = "", .label = 1, .target = {}}));
}

TEST_F(ExampleFiles, ColumnsWithoutAHeaderAreFoundByNumber) {
  const ExampleFormat format{.first = "1", .answer = "0", .kind = AnswerKind::label};
  const ExampleSet set = read("a.tsv", "1\tgood\n0\tbad\n", format);
  EXPECT_EQ(set.examples.size(), 2u);
  EXPECT_EQ(set.examples[0].first, "good");
  EXPECT_EQ(set.examples[0].label, 1);
  EXPECT_FALSE(set.examples[0].second);
  ExampleFormat with_header = format;
  with_header.header = TsvHeader::present;
  EXPECT_EQ(read("a.tsv", "label\ttext\n1\tgood\n", with_header).examples.size(), 1u);
}

TEST_F(ExampleFiles, KeysAreFoundInLinesOfJson) {
  const ExampleSet set =
      read("a.jsonl", "{\"article\": \"a\\tb\", \"id\": NaN, \"highlights\": \"c\\nd\"}\n\n",
           kSummaries);
  ASSERT_EQ(set.examples.size(), 1u);
  EXPECT_EQ(set.examples[0].first, "a\tb");
  EXPECT_EQ(set.examples[0].target, "c\nd");
  EXPECT_TRUE(set.labels.empty());
  const ExampleSet pairs = read("b.JSONL",
                                "{\"premise\": \"a\", \"claim\": \"b\", \"label\": 10}\n"
                                "{\"premise\": \"c\", \"claim\": \"d\", \"label\": 9}\n",
                                kPairs);
  EXPECT_EQ(pairs.labels, (std::vector<std::string>{"9", "10"})) << "in the order of numbers";
  EXPECT_EQ(pairs.examples[0].label, 1);
  EXPECT_EQ(read("a.jsonl", "{\"text\": \"a\", \"score\": 2.5}", kScores).examples[0].value, 2.5);
}

TEST_F(ExampleFiles, LabelsMayBeGiven) {
  ExampleFormat format = kPairs;
  format.label_cells = {"yes", "no"};
  const std::string text = "premise\tclaim\tlabel\na\tb\tno\n";
  EXPECT_EQ(read("a.tsv", text, format).examples[0].label, 1);
  EXPECT_EQ(read("a.tsv", text, format).labels, format.label_cells);
  format.label_names = {"true", "false"};
  EXPECT_EQ(read("a.tsv", text, format).labels, format.label_names);
  EXPECT_TRUE(contains(refusal("a.tsv", text + "c\td\tnone\n", format),
                       "a.tsv:3: label is \"none\"; want one of \"yes\", \"no\""));
}

TEST_F(ExampleFiles, TestSetsNeedNoAnswer) {
  ExampleFormat format = kPairs;
  format.kind = AnswerKind::none;
  const ExampleSet set = read("a.tsv", "premise\tclaim\na\tb\n", format);
  EXPECT_EQ(set.examples[0].label, -1);
  EXPECT_TRUE(set.labels.empty());
}

TEST_F(ExampleFiles, ShortRowsAreRefusedOrCounted) {
  const std::string text = "id\tpremise\tclaim\tlabel\n1\ta\tb\t0\n2\tc\n3\td\te\t1\n4\n";
  EXPECT_TRUE(contains(refusal("a.tsv", text, kPairs), "a.tsv:3: 2 columns; want at least 4"));
  EXPECT_EQ(said_, "");
  ExampleFormat format = kPairs;
  format.short_rows = ShortRows::leave_out;
  EXPECT_EQ(read("a.tsv", text, format).examples.size(), 2u);
  EXPECT_TRUE(contains(said_, "a.tsv:3: 2 of 4 rows have fewer than 4 columns and are left out"));
}

TEST_F(ExampleFiles, NameFileAndLineOfWhatIsWrong) {
  EXPECT_TRUE(contains(refusal("a.tsv", "premise\tclaims\tlabel\na\tb\tc\n", kPairs),
                       "a.tsv:1: no column \"claim\"; the header has \"premise\", \"claims\", "
                       "\"label\" (did you mean \"claims\"?)"));
  EXPECT_TRUE(contains(refusal("a.tsv", "text\tscore\na\t1\nb\t1.5x\n", kScores),
                       "a.tsv:3: score is \"1.5x\"; want a finite number"));
  EXPECT_TRUE(contains(refusal("a.tsv", "text\tscore\na\tnan\n", kScores), "a.tsv:2: score is"));
  EXPECT_TRUE(contains(refusal("a.jsonl", "{\"article\": \"a\"}\n", kSummaries),
                       "a.jsonl:1: highlights is missing"));
  EXPECT_TRUE(contains(refusal("a.jsonl", "\n{\"article\": 1}\n", kSummaries),
                       "a.jsonl:2: article: 1; want a string"));
  EXPECT_TRUE(contains(refusal("a.jsonl", "[]\n", kSummaries), "a.jsonl:1: []; want an object"));
  EXPECT_TRUE(contains(refusal("a.jsonl", "{\n", kSummaries), "a.jsonl:1: not a JSON object"));
  EXPECT_TRUE(contains(refusal("a.tsv", "text\tscore\n", kScores), "a.tsv: holds no examples"));
  EXPECT_TRUE(contains(refusal("a.tsv", "", kScores), "a.tsv:1: no column \"text\""));
  EXPECT_TRUE(contains(refusal("a.txt", "text\tscore\n", kScores), "want a .tsv or .jsonl"));
  EXPECT_TRUE(contains(refusal("a.csv", "text,score\n", kScores), "want tabs, in a .tsv file"));
  ExampleFormat format = kScores;
  format.header = TsvHeader::absent;
  EXPECT_TRUE(contains(refusal("a.tsv", "a\t1\n", format),
                       "a.tsv:1: column \"text\" of a file without a header; want its number"));
}

}  // namespace
}  // namespace ty::test
