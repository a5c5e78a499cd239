#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "parallel/comm/mpi/mpi_world.h"
#include "tests/support/mpi_environment.h"

namespace {
std::unique_ptr<ty::MpiSession> g_session;
ty::Group g_world;
}  // namespace

const ty::Group& ty::test::mpi_world() { return g_world; }

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  g_session = std::make_unique<ty::MpiSession>(60.0);
  g_world = g_session->world();
  const char* expected = std::getenv("TY_EXPECT_RANKS");
  if (expected == nullptr || std::atoi(expected) != g_world.size()) {
    std::fprintf(stderr, "world of %d ranks, TY_EXPECT_RANKS is %s\n", g_world.size(),
                 expected == nullptr ? "not set" : expected);
    ty::abort_mpi_job(1);
  }
  if (g_world.rank() != 0) {
    auto& listeners = testing::UnitTest::GetInstance()->listeners();
    delete listeners.Release(listeners.default_result_printer());
  }
  const int own = RUN_ALL_TESTS();
  const int any = static_cast<int>(g_world.all_reduce(own, ty::ReduceOp::max));
  g_world = ty::Group();
  g_session.reset();
  return any;
}
