#include "core/data/tasks/wikitext.h"

#include <gtest/gtest.h>

#include <fstream>

#include "core/base/error.h"
#include "tests/support/messages.h"
#include "tests/support/temp_dir.h"

namespace ty::test {
namespace {

WikiText read(const std::string& text) {
  const TempDir temp;
  std::ofstream(temp / "wiki.test.raw", std::ios::binary) << text;
  return read_wikitext(temp / "wiki.test.raw");
}

const std::string kFirst =
    " \n = Stone bridge = \n \n A bridge @-@ of stone . \n \n = = Building = = \n \n"
    " It has a = b = \n = no heading = \n";
const std::string kSecond = " \n = Río 2 ( film ) = \n \n A film . \n";

TEST(WikiTextFiles, AreArticlesThatBeginAtTheirHeadings) {
  const WikiText text = read(kFirst + kSecond);
  ASSERT_EQ(text.articles.size(), 2u);
  EXPECT_EQ(text.articles[0], kFirst + " \n");
  EXPECT_EQ(text.articles[1], kSecond.substr(2));
}

TEST(WikiTextFiles, CountWordsForPerplexityPerWord) {
  const WikiText text = read(kSecond);
  EXPECT_EQ(text.words, 7 + 3);
  EXPECT_EQ(text.lines, 4);
  EXPECT_EQ(text.words_and_line_ends(), 14);
}

TEST(WikiTextFiles, AreRefusedWithoutAHeading) {
  EXPECT_TRUE(contains(message_of<DataError>([] { read("plain text\n"); }),
                       "wiki.test.raw: no line ' = Title = '; want a raw file of WikiText"));
  EXPECT_THROW(read(""), DataError);
  EXPECT_THROW(read(" = = Section = = \n"), DataError);
}

}  // namespace
}  // namespace ty::test
