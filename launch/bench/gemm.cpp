// Matrix products in the shapes of GPT-2 for so many rows.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/base/stopwatch.h"
#include "launch/bench/bench.h"
#include "launch/process/world.h"
#include "launch/report/text.h"
#include "launch/run/machine_ceiling.h"
#include "launch/run/model_setup.h"

namespace ty::bench {

namespace {

struct GemmSizes {
  std::int64_t m, n, k;
};

std::vector<GemmSizes> gemm_sizes(std::int64_t rows) {
  return {{2048, 2048, 2048}, {rows, 2304, 768},  {rows, 768, 768},  {rows, 3072, 768},
          {rows, 768, 3072},  {rows, 50257, 768}, {768, 3072, rows}, {64, 64, 64}};
}

DType gemm_dtype(const Arguments& arguments) {
  const std::string name = arguments.text("--dtype", "fp32");
  return name == "fp32" ? DType::f32 : name == "bf16" ? DType::bf16 : DType::f16;
}

}  // namespace

ExitCode gemm(const Arguments& arguments, RankStatus& status) {
  World world(status);
  const DType dtype = gemm_dtype(arguments);
  const bool on_cpu = arguments.text("--device", "auto") == "cpu";
  const auto backend = make_backend(on_cpu ? DeviceChoice::cpu : DeviceChoice::automatic);
  Table table({"gemm m x n x k", "median us", "GFLOP/s"});
  nlohmann::json rows = nlohmann::json::array();
  for (const auto& [m, n, k] : gemm_sizes(arguments.integer("--rows", 256))) {
    const Tensor a = Tensor::full(*backend, {m, k}, dtype, 0.5);
    const Tensor b = Tensor::full(*backend, {k, n}, dtype, 0.5);
    const Tensor c = Tensor::empty(*backend, {m, n}, dtype);
    std::vector<double> seconds;
    const Stopwatch watch;
    for (int i = 0; i < 4 || watch.seconds() < 0.3; ++i) {
      const double taken = seconds_of([&] {
        backend->gemm(c.view(), a.view(), b.view(), {});
        backend->synchronize();
      });
      if (i > 0) seconds.push_back(taken);
    }
    const Spread spread = spread_of(seconds);
    const double flops = 2.0 * static_cast<double>(m * n * k) / spread.median;
    table.add({fmt::format("{} x {} x {}", m, n, k), fmt::format("{:.1f}", spread.median * 1e6),
               fmt::format("{:.1f}", flops / 1e9)});
    rows.push_back(
        {{"m", m}, {"n", n}, {"k", k}, {"seconds", to_json(spread)}, {"flops_per_second", flops}});
  }
  const MachineCeiling ceiling = measure_ceiling(*backend, 0.5);
  if (arguments.flag("--json")) {
    fmt::print("{}\n",
               nlohmann::json{{"threads", world.threads()},
                              {"backend", backend->name()},
                              {"dtype", name_of(dtype)},
                              {"shapes", rows},
                              {"gemm_ceiling_flops_per_second", ceiling.gemm_flops_per_second},
                              {"copy_bytes_per_second", ceiling.copy_bytes_per_second}}
                   .dump());
  } else {
    fmt::print("{}, {} threads, {}\n{}copy {}/s\n", backend->name(), world.threads(),
               name_of(dtype), table.str(), human_bytes(ceiling.copy_bytes_per_second));
  }
  return ExitCode::ok;
}

}  // namespace ty::bench
