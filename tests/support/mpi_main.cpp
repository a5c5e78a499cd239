// main() of tests under mpirun. Rank 0 reports as usual, the others only what fails. A fatal
// failure or exception leaves this rank out of step with the others, so it ends the whole job; a
// failed expectation does not, and makes every rank fail at the end.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "parallel/comm/mpi/mpi_world.h"
#include "tests/support/mpi_environment.h"

namespace {

std::unique_ptr<ty::MpiSession> g_session;
ty::Group g_world;

class RankReport : public testing::EmptyTestEventListener {
  void OnTestPartResult(const testing::TestPartResult& part) override {
    if (!part.failed() || g_world.rank() == 0) return;
    std::fprintf(stderr, "[rank %d] %s:%d: %s\n", g_world.rank(),
                 part.file_name() == nullptr ? "?" : part.file_name(), part.line_number(),
                 part.message());
  }
  void OnTestEnd(const testing::TestInfo& test) override {
    if (!test.result()->HasFatalFailure()) return;
    std::fprintf(stderr, "[rank %d] %s.%s ends the job\n", g_world.rank(), test.test_suite_name(),
                 test.name());
    std::fflush(stdout);
    std::fflush(stderr);
    ty::abort_mpi_job(1);
  }
};

}  // namespace

const ty::Group& ty::test::mpi_world() { return g_world; }
const ty::MpiSession& ty::test::mpi_session() { return *g_session; }

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  // Few elements, so that tests send messages in pieces.
  g_session = std::make_unique<ty::MpiSession>(
      ty::MpiOptions{.patience_seconds = 60.0, .max_elements = 100'000});
  g_world = g_session->world();
  const char* expected = std::getenv("TY_EXPECT_RANKS");
  if (expected == nullptr || std::atoi(expected) != g_world.size()) {
    std::fprintf(stderr, "world of %d ranks, TY_EXPECT_RANKS is %s\n", g_world.size(),
                 expected == nullptr ? "not set" : expected);
    ty::abort_mpi_job(1);
  }
  auto& listeners = testing::UnitTest::GetInstance()->listeners();
  if (g_world.rank() != 0) delete listeners.Release(listeners.default_result_printer());
  listeners.Append(new RankReport);
  const int own = RUN_ALL_TESTS();
  const int any = static_cast<int>(g_world.all_reduce(own, ty::ReduceOp::max));
  if (own == 0 && any != 0 && g_world.rank() == 0) std::fprintf(stderr, "another rank failed\n");
  g_world = ty::Group();
  g_session.reset();
  return any;
}
