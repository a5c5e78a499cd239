// Products by cuBLASLt. What the library chooses for a product is asked once and kept: asking takes
// as long as a small product.
#include <optional>
#include <unordered_map>

#include "core/backend/cuda/blas/descriptors.h"
#include "core/backend/cuda/blas/library.h"
#include "core/base/error.h"

namespace ty::cuda::blas {

namespace {

constexpr std::size_t kScratchBytes = std::size_t{32} << 20;
constexpr std::uint32_t kBestAlignment = 256;

// Bytes, a power of two, to which an address is aligned, as far as the library cares.
std::uint32_t alignment_of(const void* p) {
  const auto address = reinterpret_cast<std::uintptr_t>(p) | kBestAlignment;
  return static_cast<std::uint32_t>(address & (~address + 1));
}

struct Key {
  Product product;
  std::uint32_t a, b, c;  // alignments
  friend bool operator==(const Key&, const Key&) = default;
};

struct Hash {
  std::size_t operator()(const Key& key) const {
    std::uint64_t hash = 0xcbf29ce484222325ull;
    const auto add = [&](auto value) {
      hash = (hash ^ static_cast<std::uint64_t>(value)) * 0x100000001b3ull;
    };
    const Product& p = key.product;
    for (const std::int64_t value : {p.m, p.n, p.k, p.batch}) add(value);
    for (const Matrix* x : {&p.a, &p.b, &p.c}) {
      add(x->transposed);
      add(x->leading);
      add(x->distance);
    }
    for (const DType type : {p.in, p.out}) add(type);
    add(p.has_bias);
    for (const std::uint32_t alignment : {key.a, key.b, key.c}) add(alignment);
    return hash;
  }
};

struct Plan {
  Descriptors descriptors;
  std::optional<cublasLtMatmulAlgo_t> algorithm;  // none: the library has no way
};

}  // namespace

std::size_t library_version() { return cublasLtGetVersion(); }

struct Library::State {
  void* stream;
  Allocator& memory;
  bool tf32;
  void* scratch = nullptr;
  cublasLtHandle_t handle = nullptr;
  std::unordered_map<Key, Plan, Hash> plans;

  const Plan& plan_of(const Product& product, const Operands& at);
  Plan make_plan(const Key& key, const void* bias) const;
};

Library::Library(void* stream, Allocator& memory, bool tf32)
    : state_(new State{stream, memory, tf32, nullptr, nullptr, {}}) {
  check(cublasLtCreate(&state_->handle), "cublasLtCreate");
  state_->scratch = memory.allocate(kScratchBytes, MemoryClass::workspace);
}

Library::~Library() {
  state_->memory.release(state_->scratch, kScratchBytes, MemoryClass::workspace);
  cublasLtDestroy(state_->handle);
}

const Plan& Library::State::plan_of(const Product& product, const Operands& at) {
  const Key key{product, alignment_of(at.a), alignment_of(at.b), alignment_of(at.c)};
  auto found = plans.find(key);
  if (found == plans.end()) found = plans.emplace(key, make_plan(key, at.bias)).first;
  return found->second;
}

Plan Library::State::make_plan(const Key& key, const void* bias) const {
  Plan plan{Descriptors(key.product, tf32), {}};
  if (key.product.has_bias) plan.descriptors.set_bias(bias);
  cublasLtMatmulPreference_t raw = nullptr;
  check(cublasLtMatmulPreferenceCreate(&raw), "cublasLtMatmulPreferenceCreate");
  const std::unique_ptr<std::remove_pointer_t<cublasLtMatmulPreference_t>,
                        cublasStatus_t (*)(cublasLtMatmulPreference_t)>
      preference(raw, cublasLtMatmulPreferenceDestroy);
  const auto set = [&](cublasLtMatmulPreferenceAttributes_t which, const auto& value) {
    check(cublasLtMatmulPreferenceSetAttribute(raw, which, &value, sizeof value),
          "cublasLtMatmulPreferenceSetAttribute");
  };
  set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, kScratchBytes);
  set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, key.a);
  set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, key.b);
  set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, key.c);
  set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, key.c);
  const Descriptors& d = plan.descriptors;
  cublasLtMatmulHeuristicResult_t best{};
  int found = 0;
  check(cublasLtMatmulAlgoGetHeuristic(handle, d.product.get(), d.a.get(), d.b.get(), d.c.get(),
                                       d.c.get(), raw, 1, &best, &found),
        "cublasLtMatmulAlgoGetHeuristic");
  if (found > 0) plan.algorithm = best.algo;
  return plan;
}

bool Library::can_run(const Product& product, const Operands& at) {
  return state_->plan_of(product, at).algorithm.has_value();
}

void Library::run(const Product& product, double alpha, const Operands& at, double beta) {
  State& s = *state_;
  const Plan& plan = s.plan_of(product, at);
  if (!plan.algorithm) {
    const Product& p = product;
    throw DeviceError("cuda: cuBLASLt has no way to multiply [{}, {}] by [{}, {}], {} to {}", p.m,
                      p.k, p.k, p.n, name_of(p.in), name_of(p.out));
  }
  const Descriptors& d = plan.descriptors;
  if (product.has_bias) d.set_bias(at.bias);
  const auto alpha_f = static_cast<float>(alpha), beta_f = static_cast<float>(beta);
  const void* const scale_a = d.is_double ? static_cast<const void*>(&alpha) : &alpha_f;
  const void* const scale_b = d.is_double ? static_cast<const void*>(&beta) : &beta_f;
  check(cublasLtMatmul(s.handle, d.product.get(), scale_a, at.a, d.a.get(), at.b, d.b.get(),
                       scale_b, at.c, d.c.get(), at.c, d.c.get(), &*plan.algorithm, s.scratch,
                       kScratchBytes, static_cast<cudaStream_t>(s.stream)),
        "cublasLtMatmul");
}

}  // namespace ty::cuda::blas
