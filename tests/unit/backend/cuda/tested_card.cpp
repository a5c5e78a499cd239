// The CUDA backend on a card, each kernel waited for. Arrays lie in page-locked memory of the host,
// which a card reads and writes as its own. Without a card the program ends with 77: skipped.
#include <cuda_runtime_api.h>

#include <cstdio>
#include <cstdlib>
#include <memory_resource>
#include <new>

#include "core/backend/cuda/cuda.h"
#include "tests/support/fake_gpu/declaring_backend.h"
#include "tests/unit/backend/compare.h"

namespace ty::test {

namespace {

class OnCard final : public DeclaringBackend {
 public:
  explicit OnCard(Backend& card) : card_(&card) {}
  std::string_view name() const override { return card_->name(); }
  Allocator& memory() override { return card_->memory(); }
  void synchronize() override { card_->synchronize(); }

 private:
  Backend& math() override { return *card_; }
  void put(const char*, std::function<void()> run, const std::vector<FakeAccess>&) override {
    run();
    card_->synchronize();
  }

  Backend* card_;
};

Backend* g_card = nullptr;

class PinnedMemory final : public std::pmr::memory_resource {
  void* do_allocate(std::size_t bytes, std::size_t) override {
    void* block = nullptr;
    if (cudaMallocHost(&block, bytes) != cudaSuccess) throw std::bad_alloc();
    return block;
  }
  void do_deallocate(void* block, std::size_t, std::size_t) override { cudaFreeHost(block); }
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
};

}  // namespace

// One for all cases: making one takes a card's libraries long. It has one size.
std::unique_ptr<Backend> tested_backend(Workers) { return std::make_unique<OnCard>(*g_card); }

}  // namespace ty::test

int main(int argc, char** argv) {
  const ty::CudaStatus status = ty::cuda_status();
  if (!status.problem.empty()) {
    std::printf("%s\n", status.problem.c_str());
    return status.has_driver ? 1 : 77;
  }
  // From a pool, for the page-locking of many arrays takes long; a sanitizer wants each by itself.
  ty::test::PinnedMemory pinned;
  std::pmr::unsynchronized_pool_resource pool(&pinned);
  const bool each_alone = std::getenv("TY_ARRAYS_ALONE") != nullptr;
  std::pmr::set_default_resource(each_alone ? static_cast<std::pmr::memory_resource*>(&pinned)
                                            : &pool);
  const auto card = ty::make_cuda_backend();
  ty::test::g_card = card.get();
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
