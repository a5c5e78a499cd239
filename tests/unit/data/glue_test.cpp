// Small files in the public formats of the nine GLUE sets.
#include "core/data/tasks/glue.h"

#include <gtest/gtest.h>

#include <fstream>

#include "core/base/error.h"
#include "core/metrics/glue_score.h"
#include "tests/support/messages.h"
#include "tests/support/temp_dir.h"

namespace ty::test {
namespace {

ExampleSet read(const std::string& task, const std::string& text) {
  const TempDir temp;
  std::ofstream(temp / "train.tsv", std::ios::binary) << text;
  return read_examples(temp / "train.tsv", glue_data_of(task).format);
}

struct Case {
  const char* task;
  const char* file;
  TextExample last;
  const char* label;  // its name
};

const Case kCases[] = {
    {"cola",
     "gj04\t1\t\tA cat sat.\ngj04\t0\t*\tCat a sat.\n",
     {.first = "Cat a sat.", .second = {}, .label = 0, .target = {}},
     "unacceptable"},
    {"sst2",
     "sentence\tlabel\nfine work \t1\n",
     {.first = "fine work ", .second = {}, .label = 1, .target = {}},
     "positive"},
    {"mrpc",
     "\xef\xbb\xbfQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\n1\t7\t8\tHe \"said\tShe\n",
     {.first = "He \"said", .second = "She", .label = 1, .target = {}},
     "equivalent"},
    {"stsb",
     "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore\n"
     "0\tg\tf\t2012\t1\tnone\tnone\tA dog.\tA cat.\t1.250\n",
     {.first = "A dog.", .second = "A cat.", .value = 1.25, .target = {}},
     ""},
    {"qqp",
     "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n1\t2\t3\tWhy?\tHow?\t0\n4\t5\tcut\n",
     {.first = "Why?", .second = "How?", .label = 0, .target = {}},
     "not_duplicate"},
    {"mnli",
     "index\tpairID\tgenre\tsentence1\tsentence2\tlabel1\tgold_label\n"
     "0\t1n\tfiction\tA.\tB.\tneutral\tcontradiction\n",
     {.first = "A.", .second = "B.", .label = 2, .target = {}},
     "contradiction"},
    {"qnli",
     "index\tquestion\tsentence\tlabel\n0\tWho?\tShe.\tnot_entailment\n",
     {.first = "Who?", .second = "She.", .label = 1, .target = {}},
     "not_entailment"},
    {"rte",
     "index\tsentence1\tsentence2\tlabel\n0\tA.\tB.\tentailment\n",
     {.first = "A.", .second = "B.", .label = 0, .target = {}},
     "entailment"},
    {"wnli",
     "index\tsentence1\tsentence2\tlabel\n0\tA.\tB.\t1\n",
     {.first = "A.", .second = "B.", .label = 1, .target = {}},
     "entailment"},
};

TEST(GlueFiles, AreReadInTheirPublicFormats) {
  ASSERT_EQ(std::size(kCases), glue_data().size());
  for (const Case& one : kCases) {
    const ExampleSet set = read(one.task, one.file);
    EXPECT_EQ(set.examples.back(), one.last) << one.task;
    const auto label = set.examples.back().label;
    EXPECT_EQ(label < 0 ? "" : set.labels.at(static_cast<std::size_t>(label)), one.label);
  }
}

TEST(GlueFiles, OrderClassesAsThePublicLibraryDoes) {
  const std::vector<std::string> three{"entailment", "neutral", "contradiction"};
  EXPECT_EQ(glue_data_of("mnli").format.label_names, three);
  EXPECT_EQ(glue_data_of("mnli").dev_files.size(), 2u);
  for (const char* task : {"qnli", "rte"}) {
    EXPECT_EQ(glue_data_of(task).format.label_names, glue_data_of("qnli").format.label_cells);
  }
}

TEST(GlueFiles, AreThoseOfTheTasksWithMetrics) {
  for (std::size_t i = 0; i < glue_data().size(); ++i) {
    EXPECT_EQ(glue_data()[i].name, glue_tasks()[i].name);
  }
}

TEST(GlueFiles, AreRefusedIfAnotherTasks) {
  EXPECT_TRUE(contains(message_of<DataError>([] { read("sst2", kCases[7].file); }),
                       "train.tsv:1: no column \"sentence\"; the header has \"index\""));
  EXPECT_TRUE(contains(message_of<ConfigError>([] { glue_data_of("sst-2"); }),
                       "no GLUE task \"sst-2\"; want cola, sst2, mrpc"));
}

}  // namespace
}  // namespace ty::test
