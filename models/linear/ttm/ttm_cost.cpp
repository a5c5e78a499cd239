#include "models/linear/ttm/ttm_cost.h"

#include <algorithm>

#include "core/backend/dry/dry_backend.h"
#include "models/linear/ttm/shares.h"
#include "models/linear/ttm/ttm_pass.h"

namespace ty {

namespace {

// Counts what kernels would take. A pass that runs on it cannot take anything else than it counts.
class CostBackend final : public DryBackend {
 public:
  explicit CostBackend(const DeviceModel& device)
      : DryBackend(with_some_workers(device)), model_(device.costs) {}
  double seconds() const { return seconds_; }

  void gemm(const View& c, const View& a, const View& b, GemmScale scale) override {
    DryBackend::gemm(c, a, b, scale);
    const double m = size(c, -2), n = size(c, -1), k = size(a, -1);
    if (m * n * k == 0) return;
    add_product(m, n, k, static_cast<double>(c.numel()) / (m * n));
  }
  void contract(const Unfolding& c, const Unfolding& a, const Unfolding& b, double beta) override {
    DryBackend::contract(c, a, b, beta);
    add_product(static_cast<double>(c.rows()), static_cast<double>(c.columns()),
                static_cast<double>(a.columns()), 1);
    add_bytes(c.view.bytes() + a.view.bytes() + b.view.bytes());  // packed and scattered
  }
  void copy(const View& y, const View& x) override {
    DryBackend::copy(y, x);
    add_bytes(y.bytes() + x.bytes());
    seconds_ += model_.run_seconds * static_cast<double>(runs_of(y, x));
  }
  void fill(const View& y, double value) override {
    DryBackend::fill(y, value);
    add_bytes(y.bytes());
  }
  void axpby(const View& y, double alpha, const View& x, double beta) override {
    DryBackend::axpby(y, alpha, x, beta);
    add_bytes(y.bytes() + x.bytes());
  }

 private:
  // How many runs of elements lie together in both views, or in groups as a transposition has them.
  static std::int64_t runs_of(const View& y, const View& x) {
    std::int64_t run = 1;
    for (int d = y.rank(); d-- > 0 && y.strides[d] == run && x.strides[d] == run;)
      run *= y.shape[d];
    return y.numel() / std::max(run, kTransposed);
  }
  static constexpr std::int64_t kTransposed = 8;
  // Workers of no machine in particular: how many there are must not decide what is computed.
  static DeviceModel with_some_workers(DeviceModel device) {
    device.work.workers = 2;
    return device;
  }
  void add_product(double m, double n, double k, double items) {
    const double fraction =
        m / (m + model_.half_rows) * n / (n + model_.half_columns) * k / (k + model_.half_inner);
    seconds_ +=
        items * (model_.call_seconds + 2 * m * n * k / (model_.flops_per_second * fraction));
  }
  static double size(const View& x, int dim) { return static_cast<double>(x.shape[dim]); }
  void add_bytes(std::size_t bytes) {
    seconds_ += model_.call_seconds + static_cast<double>(bytes) / model_.bytes_per_second;
  }

  CostModel model_;
  double seconds_ = 0;
};

Tensor empty(Backend& backend, const Shape& shape) {
  return Tensor::empty(backend, shape, DType::f32);
}

// The parts of a layer's work that are chosen one by one.
enum class PassPart : std::uint8_t { forward, input_gradient, core_gradients, both_gradients };

PassCost run(const TtmPass& pass, PassPart part, const TtmLayer& layer, std::int64_t rows,
             const DeviceModel& device) {
  CostBackend backend(device);
  std::vector<Tensor> cores;
  for (int k = 0; k < layer.shape.num_cores(); ++k) {
    const auto sizes = layer.shape.core_shape(k);
    cores.push_back(empty(backend, Shape(std::span<const std::int64_t>(sizes))));
  }
  const Tensor x = empty(backend, {rows, layer.in}), y = empty(backend, {rows, layer.out});
  const std::int64_t before = backend.memory().stats().total_live;
  if (part == PassPart::forward) {
    run_forward(y.view(), x.view(), cores, layer, pass, backend);
  } else if (part == PassPart::input_gradient) {
    run_input_gradient(x.view(), y.view(), cores, layer, pass, backend);
  } else {
    const View dx = part == PassPart::both_gradients ? x.view() : View{};
    std::vector<Gradient> gradients =
        run_backward(dx, y.view(), x.view(), cores, layer, {pass}, backend);
    // Into the cores' places: all that matters is their size.
    for (std::size_t k = 0; k < gradients.size(); ++k) {
      std::move(gradients[k]).add_to(cores[k], false);
    }
  }
  return {.seconds = backend.seconds(),
          .flops = backend.counts().matrix_flops,
          .workspace = backend.memory().stats().total_peak - before};
}

// So many rows that all shares have pieces; 0: all rows go through at once.
std::int64_t turn_of(const TtmPass& pass) {
  const auto* chain = std::get_if<ChainPass>(&pass);
  return chain != nullptr ? chain->tokens * kMostShares : 0;
}

PassCost cost_of_part(const TtmPass& pass, PassPart part, const TtmLayer& layer, std::int64_t rows,
                      const DeviceModel& device) {
  const std::int64_t turn = turn_of(pass);
  const std::int64_t more = turn == 0 ? 0 : rows / turn - 2;
  if (more <= 0) return run(pass, part, layer, rows, device);
  // All turns from the second on cost the same.
  PassCost cost = run(pass, part, layer, rows - more * turn, device);
  const PassCost one = run(pass, part, layer, turn, device);
  const PassCost two = run(pass, part, layer, 2 * turn, device);
  cost.seconds += static_cast<double>(more) * (two.seconds - one.seconds);
  cost.flops += static_cast<double>(more) * (two.flops - one.flops);
  return cost;
}

}  // namespace

PassCost cost_of(const TtmPass& forward, const TtmLayer& layer, std::int64_t rows,
                 const DeviceModel& device) {
  return cost_of_part(forward, PassPart::forward, layer, rows, device);
}

PassCost cost_of(const BackwardPass& backward, const TtmLayer& layer, std::int64_t rows,
                 const DeviceModel& device) {
  if (!backward.input)
    return cost_of_part(backward.cores, PassPart::both_gradients, layer, rows, device);
  const PassCost input =
      cost_of_part(*backward.input, PassPart::input_gradient, layer, rows, device);
  const PassCost cores =
      cost_of_part(backward.cores, PassPart::core_gradients, layer, rows, device);
  return {.seconds = input.seconds + cores.seconds,
          .flops = input.flops + cores.flops,
          .workspace = std::max(input.workspace, cores.workspace)};
}

LayerCost dense_layer_cost(const TtmLayer& layer, std::int64_t rows, const DeviceModel& device) {
  CostBackend forward(device), backward(device);
  const auto run_on = [&](CostBackend& backend, auto&& products) -> PassCost {
    const Tensor x = empty(backend, {rows, layer.in}), y = empty(backend, {rows, layer.out});
    const Tensor w = empty(backend, {layer.in, layer.out});
    products(x.view(), y.view(), w.view());
    return {.seconds = backend.seconds(), .flops = backend.counts().matrix_flops, .workspace = 0};
  };
  return {.forward = run_on(forward, [&](const View& x, const View& y,
                                         const View& w) { forward.gemm(y, x, w, {}); }),
          .backward = run_on(backward, [&](const View& x, const View& y, const View& w) {
            backward.gemm(x, y, w.transpose(0, 1), {});
            backward.gemm(w, x.transpose(0, 1), y, {});
          })};
}

}  // namespace ty
