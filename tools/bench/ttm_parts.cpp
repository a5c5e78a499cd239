// What the parts of a TTM layer's weight matrix cost at rank 72: merging the cores, W, projecting
// its gradient, and the gradients of the cores. Each as a multiple of the time that its products
// would take at the rate of a large one (512 x 1024 x 1024), which runs right before it.
//
//   ninja -C build ttm_parts && OMP_NUM_THREADS=2 build/tools/bench/ttm_parts
#include <fmt/format.h>

#include "core/backend/cpu/cpu_backend.h"
#include "models/linear/ttm/choose_shape.h"
#include "models/linear/ttm/ttm_planner.h"
#include "models/linear/ttm/ttm_weight.h"
#include "tools/bench/timing.h"

namespace {

using namespace ty;

constexpr std::int64_t kRank = 72;
constexpr int kRounds = 61;

// Of merging cores first .. last - 1 from the left.
double merging_flops(const TtmShape& shape, int first, int last) {
  double flops = 0, before = static_cast<double>(shape.core_size(first));
  for (int k = first + 1; k < last; ++k) {
    const double grows = static_cast<double>(shape.mode(k) * shape.core_shape(k)[3]);
    flops += 2 * before * grows;
    before *= grows / static_cast<double>(shape.core_shape(k)[0]);
  }
  return flops;
}

class Part {
 public:
  Part(const char* name, double flops) : name_(name), flops_(flops) {}
  void run(double large_seconds_per_flop, const std::function<void()>& work) {
    times_.push_back(seconds_of(work) / flops_ / large_seconds_per_flop);
  }
  void print() const {
    fmt::print("  {:10} {:.2f} of {:4.0f} MFLOP\n", name_, median(times_), flops_ / 1e6);
  }

 private:
  const char* name_;
  double flops_;
  std::vector<double> times_;
};

void measure(const TtmShape& shape) {
  CpuBackend backend{Products::fastest};
  const auto full = [&](const Shape& size) { return Tensor::full(backend, size, DType::f32, 0.1); };
  const std::int64_t in = shape.padded_in(), out = shape.padded_out(), blocks = shape.out[0];
  const int split = cheapest_split(shape), n = shape.num_cores();
  std::vector<Tensor> cores, gradients;
  for (int k = 0; k < n; ++k) {
    const auto size = shape.core_shape(k);
    cores.push_back(full(Shape(std::span<const std::int64_t>(size))));
    gradients.push_back(Tensor::empty_like(cores.back()));
  }
  const Tensor w = full({in, out});
  const Tensor x = full({512, 1024}), y = full({1024, 1024}), z = full({512, 1024});
  const double large = 2.0 * 512 * 1024 * 1024;
  const auto seconds_per_flop = [&] {
    return seconds_of([&] { backend.gemm(z.view(), x.view(), y.view(), {}); }) / large;
  };
  const double merging = merging_flops(shape, 0, split) + merging_flops(shape, split, n);
  const auto bond = shape.ranks[static_cast<std::size_t>(split)];
  const double product = 2.0 * static_cast<double>(in * out * bond);
  Part merge("merging", merging), build("W", product), project("dW", 2 * product),
      last("gradients", 2 * merging);
  for (int round = 0; round < kRounds; ++round) {
    std::unique_ptr<TtmWeight> weight;
    merge.run(seconds_per_flop(),
              [&] { weight = std::make_unique<TtmWeight>(cores, split, backend, DType::f32); });
    build.run(seconds_per_flop(), [&] { weight->build(0, blocks, w.view()); });
    project.run(seconds_per_flop(), [&] { weight->project(0, blocks, w.view()); });
    last.run(seconds_per_flop(), [&] {
      std::vector<Gradient> each = weight->gradients();
      for (std::size_t k = 0; k < each.size(); ++k) std::move(each[k]).add_to(gradients[k], false);
    });
  }
  fmt::print("{} -> {}, {}\n", in, out, to_string(shape));
  for (const Part* part : {&merge, &build, &project, &last}) part->print();
}

}  // namespace

int main() {
  measure(with_rank({8, 8, 16}, {8, 32, 16}, kRank));
  measure(clip_ranks(choose_shape(768, 3072, kRank)));
  measure(clip_ranks(choose_shape(3072, 768, kRank)));
}
