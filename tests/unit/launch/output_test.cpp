// Remarks where nobody reads them.
#include "launch/process/output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <string>

namespace ty::test {
namespace {

class Pipe : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(pipe(ends_.data()), 0);
    fcntl(ends_[0], F_SETFL, O_NONBLOCK);
  }
  void TearDown() override {
    for (const int end : ends_) close(end);
  }
  std::string read_all() const {
    std::string all;
    std::array<char, 4096> some;
    for (ssize_t got = 0; (got = read(ends_[0], some.data(), some.size())) > 0;) {
      all.append(some.data(), static_cast<std::size_t>(got));
    }
    return all;
  }
  std::array<int, 2> ends_;
};

using RemarksToAPipe = Pipe;

TEST_F(RemarksToAPipe, WaitOnceForAReaderAndThenGoOnWithoutIt) {
  const std::string line(999, 'x');
  Remarks remarks(ends_[1]);
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 1000; ++i) remarks.write(line + "\n");  // a pipe holds 64 KiB
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  const std::string heard = read_all();
  EXPECT_GE(heard.size(), 60'000u);
  remarks.write("again\n");
  const std::string after = read_all();
  EXPECT_EQ(after.substr(after.find(" lines")),
            " lines were not shown: nobody read them)\nagain\n");
}

TEST_F(RemarksToAPipe, ArriveWholeIfSomebodyReads) {
  Remarks remarks(ends_[1]);
  std::string heard;
  for (int i = 0; i < 100; ++i) {
    remarks.write(std::string(5000, 'y'));
    heard += read_all();
  }
  EXPECT_EQ(heard, std::string(500'000, 'y'));
}

TEST_F(RemarksToAPipe, AreLostWithTheReader) {
  const auto before = std::signal(SIGPIPE, SIG_DFL);
  outlive_readers();
  close(ends_[0]);
  Remarks(ends_[1]).write("nobody\n");
  std::signal(SIGPIPE, before);
}

TEST(Remarks, DoNotMindAFullDevice) {
  const int full = open("/dev/full", O_WRONLY);
  ASSERT_GE(full, 0);
  Remarks(full).write("no room\n");
  Remarks(-1).write("closed\n");
  close(full);
}

}  // namespace
}  // namespace ty::test
