// Where the constants of the cost model of TTM passes come from (core/backend/device_model.cpp):
// measures every pass of layers of many shapes against the dense layer, in turns, and looks for the
// constants that predict those ratios and choose the fastest pass most often. Takes some minutes,
// on a machine with nothing else to do.
//
//   ninja -C build fit_ttm_costs && OMP_NUM_THREADS=2 build/tools/bench/fit_ttm_costs
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <variant>
#include <vector>

#include "core/backend/cpu/cpu_backend.h"
#include "models/linear/ttm/choose_shape.h"
#include "models/linear/ttm/ttm_pass.h"
#include "models/linear/ttm/ttm_planner.h"
#include "tools/bench/timing.h"

namespace {

using namespace ty;
using Pass = std::variant<TtmPass, BackwardPass>;

// One direction of one layer: what can be chosen for it, and each choice's time as a multiple of
// the dense layer's.
struct Problem {
  TtmLayer layer;
  std::int64_t rows;
  bool is_forward;
  std::vector<Pass> passes;
  std::vector<double> measured;
};

TtmLayer map_of(const TtmShape& shape) { return {shape, shape.padded_in(), shape.padded_out()}; }

std::vector<TtmLayer> layers() {
  std::vector<TtmLayer> result;
  for (const std::int64_t rank : {4, 8, 16}) {
    for (const auto& [in, out] : {std::pair{768, 3072}, {3072, 768}, {512, 2048}}) {
      result.push_back(map_of(clip_ranks(choose_shape(in, out, rank))));
    }
    result.push_back(map_of(with_rank({8, 8, 16}, {8, 32, 16}, rank)));
  }
  result.push_back(map_of(with_rank({8, 12, 8}, {12, 16, 16}, 10)));
  result.push_back(map_of(clip_ranks(choose_shape(768, 3072, 32))));
  result.push_back(map_of(clip_ranks(choose_shape(768, 3072, 72))));
  result.push_back(map_of(clip_ranks(choose_shape(768, 3072, 4, 4))));
  return result;
}

// A layer's tensors, and its passes and the dense layer's on them.
class Layer {
 public:
  Layer(const TtmLayer& layer, std::int64_t rows) : map_(layer) {
    for (int k = 0; k < layer.shape.num_cores(); ++k) {
      const auto sizes = layer.shape.core_shape(k);
      cores_.push_back(numbers(Shape(std::span<const std::int64_t>(sizes))));
      d_cores_.push_back(numbers(cores_.back().shape()));
    }
    x_ = numbers({rows, layer.in}), dx_ = numbers({rows, layer.in});
    y_ = numbers({rows, layer.out}), dy_ = numbers({rows, layer.out});
    w_ = numbers({layer.in, layer.out}), dw_ = numbers({layer.in, layer.out});
  }
  void run(const TtmPass& forward) {
    run_forward(y_.view(), x_.view(), cores_, map_, forward, backend_);
  }
  void run(const BackwardPass& backward) {
    std::vector<Gradient> gradients =
        run_backward(dx_.view(), dy_.view(), x_.view(), cores_, map_, backward, backend_);
    for (std::size_t k = 0; k < gradients.size(); ++k) {
      std::move(gradients[k]).add_to(d_cores_[k], false);
    }
  }
  void run_dense(bool forward) {
    if (forward) return backend_.gemm(y_.view(), x_.view(), w_.view(), {});
    backend_.gemm(dx_.view(), dy_.view(), w_.view().transpose(0, 1), {});
    backend_.gemm(dw_.view(), x_.view().transpose(0, 1), dy_.view(), {});
  }

 private:
  Tensor numbers(const Shape& shape) { return Tensor::full(backend_, shape, DType::f32, 0.01); }

  CpuBackend backend_{Products::fastest};
  TtmLayer map_;
  std::vector<Tensor> cores_, d_cores_;
  Tensor x_, dx_, y_, dy_, w_, dw_;
};

Problem measured(const TtmLayer& layer, std::int64_t rows, bool forward) {
  Problem problem = {layer, rows, forward, {}, {}};
  const TtmChoice choice = choose_ttm_plan(layer, rows);
  for (const auto& each : choice.forward) {
    if (forward) problem.passes.emplace_back(each.pass);
  }
  for (const auto& each : choice.backward) {
    if (!forward) problem.passes.emplace_back(each.pass);
  }
  Layer layer(layer, rows);
  const int rounds = rows < 100 ? 25 : 13;
  for (const Pass& pass : problem.passes) {
    std::vector<double> ratios;
    for (int round = 0; round < rounds; ++round) {
      const double dense = seconds_of([&] { layer.run_dense(forward); });
      const double ttm =
          seconds_of([&] { std::visit([&](const auto& each) { layer.run(each); }, pass); });
      if (round > 0) ratios.push_back(ttm / dense);
      if (round == 3 && median(ratios) > 2.5) break;  // nobody would choose it
    }
    problem.measured.push_back(median(ratios));
  }
  return problem;
}

double predicted(const Problem& problem, const Pass& pass, const CostModel& model) {
  const DeviceModel device = {host_work_shape(2), model};
  const LayerCost dense = dense_layer_cost(problem.layer, problem.rows, device);
  const double ttm =
      std::visit(
          [&](const auto& each) { return cost_of(each, problem.layer, problem.rows, device); },
          pass)
          .seconds;
  return ttm / (problem.is_forward ? dense.forward : dense.backward).seconds;
}

// Of logarithms: how far predictions are off (root mean square), and how much more time the chosen
// passes take than the best ones (mean).
struct Fit {
  double error = 0, loss = 0;
  double value() const { return error + 3 * loss; }
};

Fit fit_of(const std::vector<Problem>& problems, const CostModel& model) {
  double squares = 0, lost = 0;
  std::size_t count = 0;
  for (const Problem& problem : problems) {
    std::vector<double> predictions;
    for (std::size_t i = 0; i < problem.passes.size(); ++i) {
      predictions.push_back(predicted(problem, problem.passes[i], model));
      if (problem.measured[i] > 2.5) continue;
      squares += std::pow(std::log(predictions[i] / problem.measured[i]), 2);
      ++count;
    }
    const auto chosen = std::min_element(predictions.begin(), predictions.end());
    const double best = *std::min_element(problem.measured.begin(), problem.measured.end());
    lost +=
        std::log(problem.measured[static_cast<std::size_t>(chosen - predictions.begin())] / best);
  }
  return {std::sqrt(squares / static_cast<double>(count)),
          lost / static_cast<double>(problems.size())};
}

struct Constant {
  const char* name;
  double CostModel::*member;
  std::vector<double> values;
};

const std::vector<Constant>& constants() {
  static const std::vector<Constant> result = {
      {"half_rows", &CostModel::half_rows, {1, 2, 4, 6, 8, 12}},
      {"half_columns", &CostModel::half_columns, {1, 2, 4, 6, 8, 12}},
      {"half_inner", &CostModel::half_inner, {4, 6, 8, 12, 16, 24}},
      {"bytes_per_second", &CostModel::bytes_per_second, {16e9, 24e9, 32e9, 48e9, 64e9, 96e9}},
      {"run_seconds", &CostModel::run_seconds, {0, 0.25e-9, 0.5e-9, 1e-9, 2e-9}},
      {"call_seconds", &CostModel::call_seconds, {0.25e-6, 0.5e-6, 1e-6, 2e-6, 4e-6}}};
  return result;
}

void print(const char* title, const Fit& fit, const CostModel& model) {
  fmt::print("{}: predictions off by {:.1f} %, {:.2f} % of the time lost by choices;", title,
             100 * fit.error, 100 * fit.loss);
  for (const Constant& constant : constants()) {
    fmt::print(" {} {:g}", constant.name, model.*constant.member);
  }
  fmt::print("\n");
}

}  // namespace

int main() {
  std::vector<Problem> problems;
  for (const TtmLayer& layer : layers()) {
    for (const std::int64_t rows : {64, 512}) {
      for (const bool forward : {true, false}) problems.push_back(measured(layer, rows, forward));
    }
    fmt::print(stderr, "measured {}\n", to_string(layer.shape));
  }
  CostModel best = host_cost_model(DType::f32);
  Fit least = fit_of(problems, best);
  print("as they are", least, best);
  // One constant at a time, until no change of one helps.
  for (bool better = true; better;) {
    better = false;
    for (const Constant& constant : constants()) {
      for (const double value : constant.values) {
        CostModel model = best;
        model.*constant.member = value;
        const Fit fit = fit_of(problems, model);
        if (fit.value() >= least.value()) continue;
        best = model, least = fit, better = true;
      }
    }
  }
  print("fitted", least, best);
  return 0;
}
