// One rank never comes. The others must say so in time and end the whole job, which mpirun reports
// as the exit status they chose.
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/base/error.h"
#include "parallel/comm/mpi/mpi_world.h"
#include "tests/support/messages.h"
#include "tests/support/mpi_environment.h"
#include "tests/unit/comm/collectives.h"

namespace ty::test {
namespace {

TEST(Mpi, EndsTheJobWhenARankHangs) {
  if (mpi_world().rank() == 1) {
    for (;;) pause();
  }
  std::vector<float> x(10);
  Work work = mpi_world().all_reduce(flat(x), ReduceOp::sum);
  const std::string message = message_of<CommError>([&] { work.wait(0.3); });
  const bool two = mpi_world().size() == 2;
  EXPECT_EQ(message.substr(0, message.find(", for")),
            fmt::format("rank 1 is late: {} in all_reduce of 10 x fp32 among {} ranks",
                        two ? "rank 0 waits" : "ranks 0 and 2 wait", two ? 2 : 3));
  abort_mpi_job(HasFailure() ? 1 : static_cast<int>(ExitCode::peer_lost));
}

}  // namespace
}  // namespace ty::test
