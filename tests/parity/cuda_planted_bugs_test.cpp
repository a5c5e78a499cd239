// Bugs of first ports, planted one by one in the CUDA backend's surroundings: each is found without
// a card. Orders and calls of communicators are in unit/comm/nccl_test.cpp, attention's tail in
// unit/backend/cudnn/fused_attention_test.cpp.
#include <cublasLt.h>
#include <gtest/gtest.h>

#include <optional>

#include "core/backend/cuda/blas/descriptors.h"
#include "core/backend/cuda/device/walks.h"
#include "core/base/error.h"
#include "launch/run/device.h"
#include "parallel/comm/memory.h"
#include "parallel/comm/threads/threads.h"
#include "tests/parity/device_layout.h"
#include "tests/support/cuda/device_memory.h"
#include "tests/support/fake_gpu/cuda_ranks.h"
#include "tests/support/fake_gpu/fake_nccl.h"
#include "tests/support/messages.h"

namespace ty::test {
namespace {

using Faults = std::vector<std::string>;

Tensor filled(Backend& backend, std::int64_t n, double value, DType dtype = DType::f32) {
  const Tensor x = Tensor::empty(backend, {n}, dtype);
  backend.fill(x.view(), value);
  return x;
}

// What the fake finds while body runs, whatever that throws.
Faults faults_of(FakeGpu& gpu, const std::function<void(const CudaRank&)>& body) {
  try {
    run_cuda_ranks(gpu, body, {.patience_seconds = 0.5});
  } catch (const Error&) {
  }
  return gpu.faults();
}

bool has(const Faults& faults, const std::string& text) {
  return std::any_of(faults.begin(), faults.end(), [&](const std::string& fault) {
    return fault.find(text) != std::string::npos;
  });
}

void take_step(const CudaRank& rank, const config::Overrides& more) {
  const MeshShape mesh = {.pipeline = 1, .data = rank.host.size(), .tensor = 1};
  const JobConfig job = job_of(mesh, more);
  const ty::Layout layout = layout_over(rank.host, rank.device, rank.backend, job, mesh);
  TrainingSetup setup(job, planned_model(job), rank.backend, layout);
  set_initial_weights(job, setup.model);
  (void)setup.step.run(tiny_batch(0, share_of_batch(kBatch, layout.mesh.data())), 0);
}

TEST(CudaPlantedBugs, MemoryThatIsFreedAndUsedAgainWhileItIsReduced) {
  FakeGpu gpu(2);
  const Faults faults = faults_of(gpu, [](const CudaRank& rank) {
    const Tensor x = filled(rank.backend, 16, 1.0), sum = filled(rank.backend, 1, 0.0, DType::f64);
    std::optional<Work> work;
    {
      const Tensor freed = filled(rank.backend, 16, 1.0);
      work = rank.device.all_reduce(freed.view(), ReduceOp::sum);
    }
    rank.backend.sum_squares(sum.view(), x.view());  // its scratch is what was freed
    work->wait();
    rank.backend.synchronize();
  });
  EXPECT_TRUE(has(faults, "kernel of sum_squares in stream 0 writes what all_reduce(sum) of 16 x"))
      << fmt::format("{}", fmt::join(faults, "\n"));
}

TEST(CudaPlantedBugs, AReductionThatDoesNotWaitForItsGradients) {
  FakeGpu gpu(2);
  gpu.bugs.forgets_event_waits = true;
  const Faults faults =
      faults_of(gpu, [](const CudaRank& rank) { take_step(rank, {"parallel.bucket_mb=0.01"}); });
  const bool early =
      has(faults, "all_reduce(sum) of ") && has(faults, ", and no event orders them");
  EXPECT_TRUE(early) << fmt::format("{}", fmt::join(faults, "\n"));
}

TEST(CudaPlantedBugs, APinnedBufferThatIsFilledBeforeItWasSent) {
  constexpr std::size_t kPiece = cuda::runtime::Staging::kPiece;
  constexpr std::int64_t kPieces = cuda::runtime::Staging::kRing / kPiece;
  const auto run = [](bool forgets) {
    FakeGpu gpu(1);
    gpu.bugs.forgets_host_waits = forgets;
    std::vector<std::int64_t> waits;
    Faults faults = faults_of(gpu, [&](const CudaRank& rank) {
      std::vector<std::int32_t> sent(kPiece / 4), got(1);
      const Tensor x = Tensor::empty(rank.backend, {std::ssize(sent)}, DType::i32);
      for (std::int32_t i = 0; i < kPieces + 1; ++i) {
        sent.assign(sent.size(), i);
        rank.backend.write(x.view(), sent.data());
        waits.push_back(rank.backend.host_waits());
      }
      rank.backend.synchronize();
    });
    // Only the piece for which the ring had no room.
    EXPECT_EQ(waits, (std::vector<std::int64_t>{0, 0, 0, 0, 1}));
    return faults;
  };
  EXPECT_EQ(run(false), Faults());
  EXPECT_TRUE(has(run(true), "host memory was changed before a copy to the device had read it"));
}

// Losses of four steps in graphs, and without.
TEST(CudaPlantedBugs, AGraphThatRunsAgainWithWhatItWasFirstGiven) {
  const auto losses = [](bool graphs, bool forgets) {
    FakeGpu gpu(1);
    gpu.bugs.forgets_updates = forgets;
    std::vector<double> all;
    const auto body = [&](const CudaRank& rank) {
      const JobConfig job = job_of({}, {"model.dropout=0.1"});
      TrainingSetup setup(job, planned_model(job), rank.backend,
                          layout_over(rank.host, rank.device, rank.backend, job, {}));
      set_initial_weights(job, setup.model);
      for (std::int64_t step = 0; step < 4; ++step) {
        all.push_back(setup.step.run(tiny_batch(step, {0, kBatch}), step).loss);
      }
    };
    run_cuda_ranks(gpu, body, {.patience_seconds = 60.0}, graphs);
    return all;
  };
  const std::vector<double> expected = losses(false, false);
  EXPECT_EQ(losses(true, false), expected);
  EXPECT_NE(losses(true, true), expected);
}

TEST(CudaPlantedBugs, AnEventOfAStreamThatRecords) {
  FakeGpu gpu(1);
  const Faults faults = faults_of(gpu, [](const CudaRank& rank) {
    cuda::runtime::GraphStream stream(0, true);
    const cuda::runtime::Event event = cuda::runtime::make_event();
    stream.begin("work");  // the first is not recorded
    stream.end();
    stream.begin("work");
    cuda::runtime::record(event, stream.issue("nothing"));
    stream.end();
    cuda::runtime::destroy_event(event);
    rank.backend.synchronize();
  });
  EXPECT_TRUE(has(faults, "an event while stream")) << fmt::format("{}", fmt::join(faults, "\n"));
}

// Two rows of 2^31 + 8 elements, 2^40 apart: numbers of elements want 33 bits, offsets 41.
TEST(CudaPlantedBugs, ElementNumbersOf32Bits) {
  constexpr std::int64_t kColumns = (std::int64_t{1} << 31) + 8, kRow = std::int64_t{1} << 40;
  auto walk = cuda::make_walk<1>(Shape{2, kColumns}, {Strides{kRow, 3}});
  const std::int64_t last = 2 * kColumns - 1;
  ASSERT_FALSE(walk.is_short);
  EXPECT_EQ(walk.locate(last), kRow + 3 * (kColumns - 1));
  walk.is_short = true;
  EXPECT_NE(walk.locate(last), kRow + 3 * (kColumns - 1));
  EXPECT_TRUE(cuda::make_walk<1>(Shape{2, 8}, {Strides{kRow, 3}}).is_short);
}

// A product as the backend's library asks for it, but with an algorithm for other operands.
void multiply(CudaOnFake& backend, const Tensor& x, std::int64_t shift, std::size_t scratch_bytes) {
  const cuda::blas::Matrix square{false, 4, 0};
  const cuda::blas::Product product{DType::f32, DType::f32, 4, 4, 4, 1, square, square, square};
  const cuda::blas::Descriptors d(product, false);
  cublasLtMatmulPreference_t preference = nullptr;
  cublasLtMatmulPreferenceCreate(&preference);  // aligned to 256 bytes
  const std::size_t most = std::size_t{32} << 20;
  cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &most,
                                       sizeof most);
  cublasLtMatmulHeuristicResult_t best{};
  int found = 0;
  cublasLtMatmulAlgoGetHeuristic(nullptr, d.product.get(), d.a.get(), d.b.get(), d.c.get(),
                                 d.c.get(), preference, 1, &best, &found);
  ASSERT_EQ(found, 1);
  cublasLtMatmulPreferenceDestroy(preference);
  const Tensor scratch = Tensor::empty(backend, {std::int64_t{1} << 20}, DType::f32);
  const Tensor y = filled(backend, 16, 0.0);
  const float one = 1.0f, zero = 0.0f;
  cublasLtMatmul(nullptr, d.product.get(), &one, x.view().as<float>() + shift, d.a.get(),
                 x.view().data, d.b.get(), &zero, y.view().data, d.c.get(), y.view().data,
                 d.c.get(), &best.algo, scratch.view().data, scratch_bytes,
                 static_cast<cudaStream_t>(backend.stream()));
  backend.synchronize();
}

TEST(CudaPlantedBugs, AProductsAlgorithmForOtherAddressesOrWithoutItsWorkspace) {
  const auto run = [](std::int64_t shift, std::size_t scratch_bytes) {
    FakeGpu gpu(1);
    return faults_of(gpu, [&](const CudaRank& rank) {
      multiply(rank.backend, filled(rank.backend, 64, 1.0), shift, scratch_bytes);
    });
  };
  EXPECT_EQ(run(0, std::size_t{4} << 20), Faults());
  EXPECT_TRUE(has(run(1, std::size_t{4} << 20), "a is not aligned to the 256 bytes"));
  EXPECT_TRUE(has(run(0, 4096), "4096 bytes of workspace, but 1048576 are needed"));
  // The backend asks for what it has.
  FakeGpu gpu(1);
  const Faults faults = faults_of(gpu, [](const CudaRank& rank) {
    const Tensor x = filled(rank.backend, 64, 1.0), y = filled(rank.backend, 16, 0.0);
    for (const std::int64_t shift : {0, 1, 2, 5, 16}) {
      const View a = x.view().slice(0, shift, 16).reshape({4, 4});
      rank.backend.gemm(y.view().reshape({4, 4}), a, a, {});
    }
    EXPECT_EQ(y.values<float>(), std::vector<float>(16, 4.0f));
  });
  EXPECT_EQ(faults, Faults());
}

TEST(CudaPlantedBugsDeathTest, DeviceMemoryThatTheHostReads) {
  FakeGpu gpu(1);
  FakeGpu::enter(0);
  CudaOnFake backend({});
  const Tensor x = filled(backend, 16, 1.0);
  cuda::emulated::guard_memory(true);
  EXPECT_DEATH(static_cast<void>(CommMemory().bytes_of(x.view())), "");
  cuda::emulated::guard_memory(false);
  backend.synchronize();
}

// Two machines of two ranks and two cards each.
TEST(CudaPlantedBugs, ARanksNumberInTheJobAsItsCard) {
  constexpr int kRanks = 4, kCards = 2;
  const auto open = [](const std::function<int(int)>& device_of) {
    FakeGpu gpu(kRanks, kCards);
    run_ranks(kRanks, [&](const Group& world) {
      FakeGpu::enter(world.rank());
      cuda::CudaBackend({.device = device_of(world.rank())}).synchronize();
    });
  };
  EXPECT_NO_THROW(open([](int rank) { return card_of({rank % 2, 2}, kCards); }));
  const std::string message = message_of<DeviceError>([&] { open([](int rank) { return rank; }); });
  EXPECT_NE(message.find("invalid device ordinal"), std::string::npos) << message;
}

// Calls that add 16-bit numbers up.
Faults narrow_sums(const FakeNccl& nccl) {
  Faults found;
  for (const std::string& call : nccl.record()) {
    const bool is_sum = call.find("(sum)") != std::string::npos;
    const bool is_narrow = call.ends_with("bf16") || call.ends_with("fp16");
    if (is_sum && is_narrow) found.push_back(call);
  }
  return found;
}

TEST(CudaPlantedBugs, GradientsThatAreAddedUpIn16Bits) {
  FakeGpu gpu(2);
  run_cuda_ranks(gpu, [](const CudaRank& rank) { take_step(rank, {"precision.compute=bf16"}); });
  EXPECT_FALSE(gpu.nccl().record().empty());
  EXPECT_EQ(narrow_sums(gpu.nccl()), Faults());
  run_cuda_ranks(gpu, [](const CudaRank& rank) {
    const Tensor x = filled(rank.backend, 8, 1.0, DType::bf16);
    rank.device.all_reduce(x.view(), ReduceOp::sum).wait();
    rank.backend.synchronize();
  });
  EXPECT_EQ(narrow_sums(gpu.nccl()).size(), 1u);
}

}  // namespace
}  // namespace ty::test
