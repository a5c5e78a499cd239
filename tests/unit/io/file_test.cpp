#include "core/io/file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

#include "core/base/error.h"
#include "core/io/file_name.h"
#include "core/io/file_writer.h"
#include "core/io/run_lock.h"
#include "tests/support/messages.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/io/bytes.h"

namespace ty {
namespace {

using test::contains;
using test::message_of;
using test::slurp;
using test::spill;
using test::TempDir;

TEST(File, ReadsWhatWasWritten) {
  const TempDir dir;
  File out = File::create(dir / "a");
  out.write_all(bytes_of("hello "));
  out.write_all(bytes_of("world"));
  out.sync();
  out.close();
  const File in = File::open(dir / "a");
  EXPECT_EQ(in.size(), 11u);
  std::string part(5, ' ');
  in.read_at(6, std::as_writable_bytes(std::span(part)));
  EXPECT_EQ(part, "world");
}

TEST(File, ReadingPastTheEndNamesFileAndPosition) {
  const TempDir dir;
  spill(dir / "a", "12345");
  const File in = File::open(dir / "a");
  std::string part(4, ' ');
  const std::string message =
      message_of<IoError>([&] { in.read_at(3, std::as_writable_bytes(std::span(part))); });
  EXPECT_TRUE(contains(message, (dir / "a").string() + ": ends at byte 5, 2 more"));
}

TEST(File, MissingFileNamesPathCauseAndNextAction) {
  const std::string message = message_of<IoError>([] { File::open("/nowhere/x"); });
  EXPECT_EQ(message, "/nowhere/x: cannot open: No such file or directory; check the path");
}

TEST(File, RefusesDirectoriesPipesAndUnwantedLinks) {
  const TempDir dir;
  EXPECT_TRUE(contains(message_of<IoError>([&] { File::open(dir.path()); }), "directory"));
  ASSERT_EQ(::mkfifo((dir / "pipe").c_str(), 0600), 0);
  EXPECT_TRUE(contains(message_of<IoError>([&] { File::open(dir / "pipe"); }), "regular"));
  spill(dir / "real", "x");
  std::filesystem::create_symlink("real", dir / "link");
  EXPECT_EQ(File::open(dir / "link").size(), 1u);
  EXPECT_TRUE(contains(message_of<IoError>([&] { File::open(dir / "link", Links::refuse); }),
                       "it is a symbolic link where none may be"));
}

// A temporary file's name can be guessed: what lies there must not be written through.
TEST(File, IsAlwaysCreatedAnew) {
  const TempDir dir;
  spill(dir / "victim", "precious");
  std::filesystem::create_symlink("victim", dir / "link.tmp");
  atomic_write_file(dir / "link", bytes_of("new"));
  EXPECT_EQ(slurp(dir / "victim"), "precious");
  EXPECT_EQ(slurp(dir / "link"), "new");
  std::filesystem::create_hard_link(dir / "victim", dir / "hard");
  File::create(dir / "hard").write_all(bytes_of("new"));
  EXPECT_EQ(slurp(dir / "victim"), "precious");
  std::filesystem::create_symlink("nowhere", dir / "dangling");
  File::create(dir / "dangling").write_all(bytes_of("new"));
  EXPECT_FALSE(std::filesystem::exists(dir / "nowhere"));
  ASSERT_EQ(::mkfifo((dir / "pipe").c_str(), 0600), 0);
  EXPECT_TRUE(contains(message_of<IoError>([&] { File::create(dir / "pipe"); }),
                       "pipe: cannot create: something that is no plain file lies there"));
  EXPECT_TRUE(std::filesystem::is_fifo(dir / "pipe"));
}

TEST(File, FailedWriteIsAnErrorNotAShortFile) {
  const TempDir dir;
  // A limit on file size makes the system accept part of the write first.
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{1000, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  File out = File::create(dir / "a");
  const std::string content(1500, 'x');
  const std::string message = message_of<IoError>([&] { out.write_all(bytes_of(content)); });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_TRUE(contains(message, "cannot write 500 bytes: File too large; raise the limit"));
}

TEST(File, AtomicWriteReplacesTheWholeFileAndLeavesNothingElse) {
  const TempDir dir;
  atomic_write_file(dir / "a", bytes_of("first, and longer"));
  atomic_write_file(dir / "a", bytes_of("second"));
  EXPECT_EQ(slurp(dir / "a"), "second");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir.path()), {}), 1);
}

TEST(File, FailedAtomicWriteLeavesTheOldContent) {
  const TempDir dir;
  std::filesystem::create_directories(dir / "a" / "in the way");
  EXPECT_THROW(atomic_write_file(dir / "a", bytes_of("new")), IoError);
  EXPECT_TRUE(std::filesystem::is_directory(dir / "a"));
  EXPECT_FALSE(std::filesystem::exists(dir / "a.tmp"));
}

TEST(File, TextFilesHaveALimit) {
  const TempDir dir;
  spill(dir / "a", "12345");
  EXPECT_EQ(read_text_file(dir / "a", 5), "12345");
  EXPECT_TRUE(contains(message_of<DataError>([&] { read_text_file(dir / "a", 4); }),
                       "5 bytes, but at most 4"));
}

TEST(MappedFile, ShowsContentAlsoAfterAMoveAndWhenEmpty) {
  const TempDir dir;
  spill(dir / "a", "abc");
  spill(dir / "empty", "");
  MappedFile first(dir / "a");
  const MappedFile second(std::move(first));
  ASSERT_EQ(second.bytes().size(), 3u);
  EXPECT_EQ(second.bytes()[2], std::byte{'c'});
  EXPECT_TRUE(MappedFile(dir / "empty").bytes().empty());
}

TEST(FileWriter, HashesWhatItWritesHoweverItIsCut) {
  const TempDir dir;
  std::string content(3 << 20, '\0');
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 7 + i / 251);
  FileWriter whole(dir / "whole");
  whole.write(content);
  const FileSummary expected = whole.finish();
  EXPECT_EQ(expected.hash, content_hash(bytes_of(content)));
  EXPECT_EQ(expected.size, content.size());

  FileWriter cut(dir / "cut");
  for (std::size_t at = 0, step = 1; at < content.size(); at += step, step = step * 3 % 1500001) {
    step = std::min(step, content.size() - at);
    cut.write(std::string_view(content).substr(at, step));
    if (step == content.size() - at) break;
  }
  EXPECT_EQ(cut.finish().hash, expected.hash);
  EXPECT_TRUE(slurp(dir / "cut") == content);
}

TEST(ContentHash, IsTheStandardXxh3) {
  // XXH3-128 of nothing, from the algorithm's published test vectors.
  EXPECT_EQ(content_hash({}), "99aa06d3014798d86001c324468d497f");
}

TEST(FileName, OnlyPlainNamesPass) {
  EXPECT_NO_THROW(check_file_name("model-00001-of-00002.safetensors", "p"));
  const std::string long_name(201, 'a');
  for (const char* bad : {"", ".", "..", ".hidden", "a/b", "../x", "/etc/passwd", "a\\b", "a b",
                          "a\nb", "\xc3\xa4", "a:b", long_name.c_str()}) {
    EXPECT_THROW(check_file_name(bad, "p"), DataError) << bad;
  }
  EXPECT_THROW(check_file_name(std::string_view("a\0b", 3), "p"), DataError);
}

TEST(RunLock, RefusesASecondJobAndNamesTheFirst) {
  const TempDir dir;
  const std::string first = "process " + std::to_string(getpid());
  std::vector<std::string> told;
  const auto tell = [&](const std::string& holder) { told.push_back(holder); };
  {
    const RunLock lock(dir.path(), tell);
    EXPECT_TRUE(told.empty());
    const std::string message = message_of<UsageError>([&] { RunLock second(dir.path(), tell); });
    EXPECT_TRUE(contains(message, dir.path().string() + ": " + first));
    EXPECT_TRUE(contains(message, "wait for it, or choose another run.dir"));
    ASSERT_EQ(told.size(), 1u);
    EXPECT_TRUE(contains(told[0], first));
  }
  EXPECT_NO_THROW(RunLock third(dir.path(), tell));
}

// Ranks of a job whose launcher was killed hold it a second longer.
TEST(RunLock, IsWaitedForAMoment) {
  const TempDir dir;
  bool waited = false;
  auto lock = std::make_unique<RunLock>(dir.path(), [](const std::string&) {});
  const RunLock second(dir.path(), [&](const std::string&) {
    waited = true;
    lock.reset();
  });
  EXPECT_TRUE(waited);
}

TEST(RunLock, AFileLeftByADeadJobIsNoLock) {
  const TempDir dir;
  spill(dir / ".lock", "process 1 on elsewhere");
  EXPECT_NO_THROW(RunLock lock(dir.path(), [](const std::string&) { FAIL(); }));
}

}  // namespace
}  // namespace ty
