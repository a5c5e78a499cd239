#include "core/io/new_directory.h"

#include <gtest/gtest.h>

#include <fstream>

#include "core/base/error.h"
#include "tests/support/messages.h"
#include "tests/support/temp_dir.h"

namespace ty::test {
namespace {

void add_text(NewDirectory& directory, const std::string& name, const std::string& text) {
  directory.add(name, [&](FileWriter& out) { out.write(text); });
}

TEST(NewDirectory, IsThereWholeOnceItIsPublished) {
  const TempDir temp;
  std::ofstream(temp / "tokenizer.json") << "abc";
  const Path target = temp / "model/";  // a slash at the end does no harm
  {
    NewDirectory directory(target);
    add_text(directory, "config.json", "{}\n");
    directory.copy(temp / "tokenizer.json");
    EXPECT_FALSE(std::filesystem::exists(target));
    EXPECT_EQ(directory.bytes(), 6u);
    directory.publish();
  }
  EXPECT_EQ(read_text_file(target / "config.json", 100), "{}\n");
  EXPECT_EQ(read_text_file(target / "tokenizer.json", 100), "abc");
  EXPECT_FALSE(std::filesystem::exists(temp / "model.tmp"));
}

TEST(NewDirectory, LeavesNothingBehindWhenWritingFails) {
  const TempDir temp;
  const auto write = [&] {
    NewDirectory directory(temp / "model");
    add_text(directory, "config.json", "{}\n");
    directory.add("model.safetensors", [](FileWriter&) { throw IoError("no space"); });
  };
  EXPECT_THROW(write(), IoError);
  EXPECT_TRUE(std::filesystem::is_empty(temp.path()));
}

TEST(NewDirectory, RemovesWhatAKilledProcessLeft) {
  const TempDir temp;
  std::filesystem::create_directory(temp / "model.tmp");
  std::ofstream(temp / "model.tmp" / "half") << "x";
  NewDirectory directory(temp / "model");
  add_text(directory, "config.json", "{}\n");
  directory.publish();
  EXPECT_FALSE(std::filesystem::exists(temp / "model" / "half"));
}

TEST(NewDirectory, ReplacesNothing) {
  const TempDir temp;
  std::filesystem::create_directory(temp / "model");
  const std::string model = (temp / "model").string();
  EXPECT_EQ(message_of<UsageError>([&] { require_absent(model); }),
            model + ": exists already; remove it or name another directory");
  EXPECT_TRUE(contains(message_of<UsageError>([&] { require_absent(model + "/"); }), "exists"));
  EXPECT_TRUE(contains(message_of<UsageError>([&] { NewDirectory(temp / "none" / "model"); }),
                       "is not a directory; make that first"));
  std::filesystem::create_symlink("nowhere", temp / "link");
  EXPECT_THROW(require_absent(temp / "link"), UsageError);
  // Somebody else was faster.
  NewDirectory late(temp / "late");
  std::filesystem::create_directory(temp / "late");
  EXPECT_THROW(late.publish(), UsageError);
}

}  // namespace
}  // namespace ty::test
