// The communicator over NCCL, on cards that are not there (tests/support/fake_gpu).
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/tensor/tensor.h"
#include "parallel/comm/threads/threads.h"
#include "tests/support/fake_gpu/fake_nccl.h"
#include "tests/support/fake_gpu/fake_ranks.h"
#include "tests/support/messages.h"
#include "tests/unit/comm/collectives.h"

namespace ty::test {
namespace {

using Faults = std::vector<std::string>;

class Nccl : public testing::TestWithParam<std::tuple<Check, int>> {};
TEST_P(Nccl, Does) {
  const auto& [check, ranks] = GetParam();
  FakeGpu gpu(ranks);
  run_fake_ranks(ranks,
                 [&](const FakeRank& rank) { check.run(settled(rank.device, rank.backend)); });
  EXPECT_EQ(gpu.faults(), Faults());
  EXPECT_EQ(gpu.nccl().alive(), 0);
}
INSTANTIATE_TEST_SUITE_P(Every, Nccl,
                         testing::Combine(testing::ValuesIn(communicator_checks()),
                                          testing::Values(1, 2, 3, 4)),
                         [](const auto& test) {
                           return std::get<0>(test.param).name + "On" +
                                  std::to_string(std::get<1>(test.param));
                         });

// Runs body on so many ranks, whatever it throws, and hands out what the fake has found.
Faults faults_of(int ranks, const std::function<void(const FakeRank&)>& body) {
  FakeGpu gpu(ranks);
  try {
    run_fake_ranks(ranks, body, {.patience_seconds = 0.2});
  } catch (const CommError&) {
  }
  return gpu.faults();
}

Tensor filled(FakeBackend& backend, std::int64_t n, double value) {
  const Tensor x = Tensor::empty(backend, {n}, DType::f32);
  backend.fill(x.view(), value);
  return x;
}

// Waiting for a call holds up the card, not the host: neither a collective nor a message does.
TEST(NcclOrder, TheHostDoesNotWaitForCalls) {
  FakeGpu gpu(2);
  run_fake_ranks(2, [](const FakeRank& rank) {
    const Tensor x = filled(rank.backend, 5, rank.device.rank() + 1.0);
    const Tensor got = filled(rank.backend, 5, 0);
    rank.device.all_reduce(x.view(), ReduceOp::sum).wait();
    rank.backend.axpby(x.view(), 1.0, x.view(), 1.0);
    Work received = rank.device.receive(got.view(), 1 - rank.device.rank(), 3);
    Work sent = rank.device.send(x.view(), 1 - rank.device.rank(), 3);
    received.wait();
    sent.wait();
    rank.backend.axpby(got.view(), 1.0, got.view(), 1.0);
    EXPECT_EQ(rank.backend.synchronizations(), 0);
    EXPECT_EQ(got.values<float>(), std::vector<float>(5, 12.0f));
  });
  EXPECT_EQ(gpu.faults(), Faults());
}

// A stage posts a receive ahead, and sends what the other stage needs first.
TEST(NcclOrder, AReceivePostedAheadHoldsNothingUp) {
  FakeGpu gpu(2);
  run_fake_ranks(2, [](const FakeRank& rank) {
    const int peer = 1 - rank.device.rank();
    const Tensor in = filled(rank.backend, 3, 0), out = filled(rank.backend, 3, 7.0);
    if (rank.device.rank() == 0) {
      Work ahead = rank.device.receive(in.view(), peer, 1);
      for (int i = 0; i < 3; ++i) rank.device.send(out.view(), peer, 0).wait();
      rank.device.all_reduce(out.view(), ReduceOp::sum).wait();
      ahead.wait();
      EXPECT_EQ(in.values<float>(), std::vector<float>(3, 21.0f));
    } else {
      for (int i = 0; i < 3; ++i) {
        rank.device.receive(in.view(), peer, 0).wait();
        rank.backend.axpby(out.view(), 1.0, in.view(), i == 0 ? 0.0 : 1.0);
      }
      const Tensor sum = filled(rank.backend, 3, 1.0);
      rank.device.all_reduce(sum.view(), ReduceOp::sum).wait();
      rank.backend.synchronize();
      Work sent = rank.device.send(out.view(), peer, 1);
      sent.wait();
      rank.backend.synchronize();
    }
  });
  EXPECT_EQ(gpu.faults(), Faults());
}

TEST(NcclOrder, TheHostRunsOnlySoManyCallsAhead) {
  FakeGpu gpu(2);
  std::string message;
  try {
    run_fake_ranks(2,
                   [](const FakeRank& rank) {
                     const Tensor x = filled(rank.backend, 5, 1.0);
                     if (rank.device.rank() == 1) return rank.host.barrier();
                     for (int i = 0; i < 100; ++i)
                       rank.device.all_reduce(x.view(), ReduceOp::sum).wait();
                   },
                   {.patience_seconds = 0.1});
  } catch (const CommError& e) {
    message = e.what();
  }
  EXPECT_EQ(message.substr(0, message.find(", for")),
            "rank 1 is late: rank 0 waits in all_reduce of 5 x fp32 among 2 ranks");
  EXPECT_EQ(gpu.nccl().alive(), 0);
}

// What ended in an error is aborted: otherwise the process could not end.
TEST(NcclOrder, ALostRankEndsEveryGroup) {
  FakeGpu gpu(2);
  const std::string message = message_of<CommError>([&] {
    run_fake_ranks(2, [&](const FakeRank& rank) {
      const Group half = rank.device.split(0, rank.device.rank());
      const Tensor x = filled(rank.backend, 5, 1.0);
      if (rank.device.rank() == 1) return rank.host.barrier();
      half.all_reduce(x.view(), ReduceOp::sum).wait();
      gpu.nccl().fail(ncclRemoteError);
      rank.backend.synchronize();
    });
  });
  EXPECT_EQ(message, "NCCL lost a rank: remote process exited: no more is known");
  EXPECT_GE(gpu.nccl().aborted(), 2);
  EXPECT_EQ(gpu.nccl().alive(), 0);
}

TEST(NcclOrder, RefusesTwoRanksOnOneCard) {
  FakeGpu gpu(2);
  EXPECT_EQ(message_of<CommError>([&] {
              run_ranks(2, [&](const Group& host) {
                FakeGpu::enter(host.rank());
                FakeBackend backend("node/0000:1b:00.0");
                (void)open_nccl(host, backend, {}, FakeGpu::libraries());
              });
            }),
            "ranks 0 and 1 share the card node/0000:1b:00.0, which NCCL does not serve; use "
            "parallel.transport: mpi");
}

// The libraries themselves, which want no card for this.
TEST(NcclLibraries, AreFoundAtRunTimeInTheVersionThatWasBuiltWith) {
  EXPECT_EQ(nccl_version(), fmt::format("{}.{}.{}", NCCL_MAJOR, NCCL_MINOR, NCCL_PATCH));
}

// Bugs of first ports, planted one by one.

TEST(FakeGpuFinds, GroupsThatAreUsedInAnotherOrder) {
  const Faults faults = faults_of(2, [](const FakeRank& rank) {
    const Group other = rank.device.split(0, rank.device.rank());
    const Tensor x = filled(rank.backend, 3, 1.0), y = filled(rank.backend, 3, 1.0);
    const bool is_first = rank.device.rank() == 0;
    (is_first ? rank.device : other).all_reduce(x.view(), ReduceOp::sum).wait();
    (is_first ? other : rank.device).all_reduce(y.view(), ReduceOp::sum).wait();
    rank.host.barrier();
    rank.backend.synchronize();
  });
  ASSERT_FALSE(faults.empty());
  EXPECT_NE(faults[0].find("streams wait for each other"), std::string::npos) << faults[0];
}

TEST(FakeGpuFinds, CallsThatDifferBetweenRanks) {
  const auto mismatch = [](auto call) {
    const Faults faults = faults_of(2, [&](const FakeRank& rank) {
      call(rank);
      rank.host.barrier();
    });
    return faults.empty() ? "" : faults[0];
  };
  EXPECT_EQ(mismatch([](const FakeRank& rank) {
              const Tensor x = filled(rank.backend, 3 + rank.device.rank(), 1.0);
              rank.device.all_reduce(x.view(), ReduceOp::sum).wait();
            }).substr(0, 31),
            "communicator 0: one rank calls ");
  const std::string types = mismatch([](const FakeRank& rank) {
    const Tensor x = filled(rank.backend, 4, 1.0);
    const View f64 = contiguous_view(x.view().data, DType::f64, {2});
    rank.device.all_reduce(rank.device.rank() == 0 ? x.view() : f64, ReduceOp::sum).wait();
  });
  EXPECT_NE(types.find("all_reduce(sum) of 4 x fp32"), std::string::npos) << types;
  EXPECT_NE(types.find("all_reduce(sum) of 2 x fp64"), std::string::npos) << types;
  const std::string messages = mismatch([](const FakeRank& rank) {
    const Tensor x = filled(rank.backend, 3 + rank.device.rank(), 1.0);
    if (rank.device.rank() == 0) rank.device.send(x.view(), 1).wait();
    if (rank.device.rank() == 1) rank.device.receive(x.view(), 0).wait();
  });
  EXPECT_NE(messages.find("message of 3 x fp32"), std::string::npos) << messages;
}

TEST(FakeGpuFinds, ABufferThatIsReusedBeforeItsCallHasEnded) {
  const Faults faults = faults_of(2, [](const FakeRank& rank) {
    const Tensor x = filled(rank.backend, 3, 1.0);
    Work sum = rank.device.all_reduce(x.view(), ReduceOp::sum);
    rank.backend.fill(x.view(), 0.0);
    sum.wait();
    rank.backend.synchronize();
  });
  ASSERT_FALSE(faults.empty());
  EXPECT_NE(faults[0].find("fill in stream 0 writes what all_reduce(sum) of 3 x fp32 in stream 1"),
            std::string::npos)
      << faults[0];
}

// A result that is read by a kernel without waiting for the call.
TEST(FakeGpuFinds, AResultThatIsUsedBeforeItIsThere) {
  const Faults faults = faults_of(2, [](const FakeRank& rank) {
    const Tensor x = filled(rank.backend, 3, 1.0), y = filled(rank.backend, 3, 0.0);
    Work sum = rank.device.all_reduce(x.view(), ReduceOp::sum);
    rank.backend.copy(y.view(), x.view());
    sum.wait();
    rank.backend.synchronize();
  });
  ASSERT_FALSE(faults.empty());
  EXPECT_NE(faults[0].find("copy in stream 0 reads what all_reduce"), std::string::npos);
}

// The same in the product, where a card is asked to compare calls over the host.
TEST(NcclChecks, NameCallsThatDifferBeforeTheyHang) {
  FakeGpu gpu(2);
  const std::string message = message_of<CommError>([&] {
    run_fake_ranks(2,
                   [](const FakeRank& rank) {
                     const Tensor x = filled(rank.backend, 3 + rank.device.rank(), 1.0);
                     rank.device.all_reduce(x.view(), ReduceOp::sum).wait();
                   },
                   {.patience_seconds = 60.0, .check_calls = true});
  });
  EXPECT_NE(message.find("call different things: "), std::string::npos) << message;
  EXPECT_NE(message.find("all_reduce of 4 x fp32 among 2 ranks"), std::string::npos) << message;
}

}  // namespace
}  // namespace ty::test
