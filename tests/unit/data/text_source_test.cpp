#include "core/data/text_source.h"

#include <gtest/gtest.h>

#include <fstream>

#include "core/base/error.h"
#include "core/data/text_encoding.h"
#include "tests/support/messages.h"
#include "tests/support/temp_dir.h"

namespace ty::test {
namespace {

using namespace std::string_literals;
using Documents = std::vector<std::string>;

class TextFiles : public testing::Test {
 protected:
  TempDir temp_;
  std::vector<std::string> read(const std::string& name, const std::string& text,
                                TextOptions options = {}) {
    std::ofstream(temp_ / name, std::ios::binary) << text;
    return read_text_documents(temp_ / name, options);
  }
  std::string refusal(const std::string& name, const std::string& text, TextOptions options = {}) {
    return message_of<DataError>([&] { read(name, text, options); });
  }
  // What is said of a file's header.
  std::string note(const std::string& text, std::int64_t column = 0) {
    std::string said;
    read("a.tsv", text,
         {.tsv_column = column, .note = [&](const std::string& note) { said += note; }});
    return said;
  }
};

TEST_F(TextFiles, AreDocumentsByExtension) {
  EXPECT_EQ(read("a.txt", "one\ntwo\n\xff"), (Documents{"one\ntwo\n\xff"}));
  EXPECT_EQ(read("a.jsonl", "{\"text\": \"a\\nb\"}\r\n\n{\"text\": \"c\"}"),
            (Documents{"a\nb", "c"}));
  EXPECT_EQ(read("a.tsv", "sentence\tlabel\nx y\t1\nz\t0\n"), (Documents{"x y", "z"}));
  EXPECT_EQ(read("b.tsv", "id\tsentence\n1\tx\n", {.json_key = "", .tsv_column = 1}),
            (Documents{"x"}));
  EXPECT_EQ(read("A.JSONL", "{\"text\": \"a\"}\n"), Documents{"a"});
  EXPECT_EQ(read("A.Tsv", "id\ttext\n1\tx\n", {.tsv_column = 1}), Documents{"x"});
  EXPECT_EQ(read("notes", "x"), Documents{"x"});
}

TEST_F(TextFiles, MayEndAnyLineAnyHow) {
  const std::string a(3'000'000, 'a'), b(2'000'000, 'b');
  EXPECT_EQ(read("a.jsonl", "{\"text\": \"" + a + "\"}\r\n \t\r\n{\"text\": \"" + b + "\"}"),
            (Documents{a, b}));
  EXPECT_EQ(read("a.tsv", "1\t" + a + "\r\n2\t" + b + "\r\n3\tc", {.tsv_column = 1}),
            (Documents{a, b, "c"}));
  EXPECT_EQ(read("a.txt", "a\r\nb"), (Documents{"a\r\nb"})) << "a text is kept as it is";
}

TEST_F(TextFiles, NameFileAndLineOfWhatIsWrong) {
  EXPECT_TRUE(contains(refusal("a.jsonl", "{\"text\": \"a\"}\n{\"txt\": 1}\n"),
                       "a.jsonl:2: wants an object with a string \"text\""));
  EXPECT_TRUE(contains(refusal("b.jsonl", "{\n"), "b.jsonl:1: not a JSON object"));
  EXPECT_TRUE(contains(refusal("a.tsv", "a\tb\nx\n", {.json_key = "", .tsv_column = 1}),
                       "a.tsv:2: 1 columns"));
  EXPECT_TRUE(contains(refusal("a.txt", ""), "holds no text"));
}

TEST_F(TextFiles, OfJsonMayHoldNonNumbersBesideTheText) {
  EXPECT_EQ(read("a.jsonl",
                 R"({"score": NaN, "text": "NaN \"Infinity\" \\", "x": [-Infinity, Infinity]})"),
            Documents{R"(NaN "Infinity" \)"});
  EXPECT_TRUE(contains(refusal("a.jsonl", R"({"text": NaN})"), "a.jsonl:1: wants an object with"));
  EXPECT_TRUE(contains(refusal("a.jsonl", R"({"text": "a", "b": NaNs})"), "not a JSON object"));
}

TEST_F(TextFiles, OfTablesHaveAHeaderByTheirContent) {
  EXPECT_TRUE(contains(note("first\nsecond\n"),
                       "a.tsv: the first line, \"first\", is read as text; data.header (--header) "
                       "true changes that"));
  EXPECT_TRUE(contains(note("sentence\tlabel\nx\t1\n"),
                       "the first line, \"sentence\\tlabel\", is taken for a header; data.header "
                       "(--header) false changes that"));
  const char* const with_header[] = {"title\tbody\nentry 1\tzinc opal\nentry 2\truby jade\n",
                                     "a b\t#1 ID\nx\t-3\ny\t1e4\n", "value\n1\n"};
  const char* const without[] = {"Hello\nthis is more\n", "x\t1\ny\t2\n", "x y\tz\nx y\tz\n",
                                 "a\ta\nx y\tz\n",        "only\trow\n",  "a\tb\nc\td\n"};
  for (const char* text : with_header) EXPECT_TRUE(contains(note(text), "for a header")) << text;
  for (const char* text : without) EXPECT_TRUE(contains(note(text), "read as text")) << text;
}

TEST_F(TextFiles, OfTablesHaveAHeaderIfOneSaysSo) {
  const std::string text = "sentence\tlabel\nx\t1\n";
  EXPECT_EQ(read("a.tsv", text, {.tsv_header = TsvHeader::absent}), (Documents{"sentence", "x"}));
  EXPECT_EQ(read("a.tsv", "a\nb\n", {.tsv_header = TsvHeader::present}), Documents{"b"});
  EXPECT_NE(fingerprint_of({.tsv_header = TsvHeader::present}, "a.TSV"),
            fingerprint_of({.tsv_header = TsvHeader::absent}, "a.TSV"));
  EXPECT_EQ(fingerprint_of({.json_key = "a"}, "a.JSONL"),
            fingerprint_of({.json_key = "a"}, "b.jsonl"));
}

TEST_F(TextFiles, OfOtherFormatsAreRefusedByWhatTheyHold) {
  struct Case {
    const char* name;
    std::string bytes;
    const char* says;
  };
  const Case cases[] = {
      {"t.txt.gz", "\x1f\x8b\b\0x"s, "t.txt.gz: is gzip, not a text; unpack it first"},
      {"t.txt", "BZh91AY&SY12", "is bzip2, not a text"},
      {"t.txt",
       "\xfd"
       "7zXZ\0"s,
       "is xz, not"},
      {"t.txt", "\x28\xb5\x2f\xfd..", "is zstd, not"},
      {"t.jsonl", "PK\x03\x04..", "is a zip archive, not a text; unpack it first"},
      {"t.parquet", "PAR1....PAR1", "is Parquet, not a text; write its text to a .txt, .jsonl or"},
      {"t.pdf", "%PDF-1.4", "is PDF, not"},
      {"m.safetensors", "\x10\0\0\0\0\0\0\0{\"a\": 1}"s, "is safetensors, not a text; those are"},
      {"t.dat", std::string("\x88\xd8\x34\x01\x01\0\0\0", 8), "holds token ids, not a text"},
      {"a.json", "[{\"text\":\"alpha\"}]",
       "a.json: a JSON document is no text; want an object per"},
      {"a.CSV", "a,b\n", "a.CSV: values separated by commas are not read; want tabs"},
      {"t.txt", "ab\0c"s, "t.txt: byte 2 is zero, so this is no text"},
      {"t.txt", "a\0b\0"s, "of UTF-16 and UTF-32 only files with a byte-order mark are read"},
  };
  for (const Case& each : cases) {
    EXPECT_TRUE(contains(refusal(each.name, each.bytes), each.says));
  }
}

TEST_F(TextFiles, AreUtf8OrMarkedAsAnotherUnicode) {
  const std::string text = "a\u00e9\u20ac\U0001F600\n";
  EXPECT_EQ(read("a.txt", "\xef\xbb\xbf" + text), Documents{text});
  EXPECT_EQ(read("a.txt",
                 "\xff\xfe"
                 "a\0\xe9\0\xac\x20\x3d\xd8\x00\xde\n\0"s),
            Documents{text});
  EXPECT_EQ(read("a.txt", "\xfe\xff\0a\0\xe9\x20\xac\xd8\x3d\xde\0\0\n"s), Documents{text});
  EXPECT_EQ(read("a.txt", "\xff\xfe\0\0a\0\0\0\xe9\0\0\0\xac\x20\0\0\0\xf6\x01\0\n\0\0\0"s),
            Documents{text});
  EXPECT_EQ(read("a.txt", "\0\0\xfe\xff\0\0\0a\0\0\0\xe9\0\0\x20\xac\0\x01\xf6\0\0\0\0\n"s),
            Documents{text});
  EXPECT_EQ(read("a.jsonl", "\xef\xbb\xbf{\"text\": \"x\"}"), Documents{"x"});
  EXPECT_TRUE(contains(refusal("a.txt",
                               "\xff\xfe"
                               "a\0\x00\xdc"s),
                       "no character at byte 2 behind the byte-order mark; UTF-16 is damaged"));
  EXPECT_TRUE(contains(refusal("a.txt", "\xff\xfe\x3d\xd8"s), "no character at byte 0"));
  EXPECT_TRUE(contains(refusal("a.txt",
                               "\xff\xfe"
                               "abc"s),
                       "3 bytes of UTF-16 make no whole"));
  EXPECT_TRUE(contains(refusal("a.txt", "\0\0\xfe\xff\0\x11\0\0"s), "UTF-32 is damaged"));
}

}  // namespace
}  // namespace ty::test
