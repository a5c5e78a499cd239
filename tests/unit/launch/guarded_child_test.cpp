// How a guarded child's end is found, also where the child does not find that of its own children.
#include "launch/process/guarded_child.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace ty::test {
namespace {

int code_of(const std::string& script) {
  return static_cast<int>(run_guarded({"sh", "-c", script}, {.patience = std::chrono::seconds(2)}));
}

TEST(GuardedChild, EndsAsItsProgramDoes) {
  EXPECT_EQ(code_of("exit 0"), 0);
  EXPECT_EQ(code_of("exit 75"), 75);
}

// The shell starts two programs and becomes one that never asks for them.
TEST(GuardedChild, IsNotWaitedForOnceItsChildrenAreDead) {
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(code_of("(exit 0) & (exit 78) & exec sleep 1000"), 78);
  EXPECT_EQ(code_of("(kill -9 $(exec sh -c 'echo $PPID')) & exec sleep 1000"), 137);
  EXPECT_EQ(code_of("(kill -15 $(exec sh -c 'echo $PPID')) & (sleep 1; exit 1) & exec sleep 1000"),
            1);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  EXPECT_GE(took.count(), 6);
  EXPECT_LT(took.count(), 30);
}

// What this process holds back for itself must reach a child, also one that is not the first. No
// shell: some clear their mask.
TEST(GuardedChild, InheritsNoBlockedSignals) {
  const std::vector<std::string> holds_none_back = {"grep", "-qE", "^SigBlk:\\s*0+$",
                                                    "/proc/self/status"};
  EXPECT_EQ(run_guarded(holds_none_back), ExitCode::ok);
  EXPECT_EQ(run_guarded(holds_none_back), ExitCode::ok);
}

TEST(GuardedChild, MayOutliveSomeOfItsChildren) {
  EXPECT_EQ(code_of("(exit 78) & sleep 6 & exec sleep 4"), 0);
}

}  // namespace
}  // namespace ty::test
