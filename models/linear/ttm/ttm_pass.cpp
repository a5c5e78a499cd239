#include "models/linear/ttm/ttm_pass.h"

#include <algorithm>

#include "core/base/error.h"
#include "models/linear/ttm/ttm_chain.h"
#include "models/linear/ttm/ttm_weight.h"

namespace ty {

namespace {

// The columns [first, first + count) that a part of the panels covers, cut to `out`.
struct Panel {
  std::int64_t first_block, blocks;  // of TtmWeight
  std::int64_t first, count;         // columns
};
std::vector<Panel> panels_of(const TtmWeight& weight, int panels, std::int64_t out) {
  TY_CHECK(weight.blocks() % panels == 0, "{} panels of {} blocks", panels, weight.blocks());
  const std::int64_t blocks = weight.blocks() / panels;
  std::vector<Panel> result;
  for (int p = 0; p < panels; ++p) {
    const std::int64_t first = p * blocks * weight.block();
    const std::int64_t count = std::min(blocks * weight.block(), out - first);
    if (count > 0) result.push_back({p * blocks, blocks, first, count});
  }
  return result;
}

void forward(const View& y, const View& x, std::span<const Tensor> cores, const TtmLayer&,
             const DensePass& pass, Backend& backend) {
  const TtmWeight weight(cores, pass.split, backend, accumulator_of(x.dtype));
  const std::vector<Panel> panels = panels_of(weight, pass.panels, y.shape[1]);
  const Tensor w =
      Tensor::empty(backend, {weight.in(), panels[0].blocks * weight.block()}, x.dtype);
  for (const Panel& p : panels) {
    weight.build(p.first_block, p.blocks, w.view());
    backend.gemm(y.slice(1, p.first, p.count), x,
                 w.view().slice(0, 0, x.shape[1]).slice(1, 0, p.count), {});
  }
}

void forward(const View& y, const View& x, std::span<const Tensor> cores, const TtmLayer& layer,
             const ChainPass& pass, Backend& backend) {
  TtmChain(cores, layer.shape, pass, backend, accumulator_of(x.dtype)).forward(y, x);
}

// dx (no data: not wanted) is written.
std::vector<Gradient> backward(const View& dx, const View& dy, const View& x,
                               std::span<const Tensor> cores, const TtmLayer&,
                               const DensePass& pass, Backend& backend) {
  const DType wide = accumulator_of(x.dtype);
  TtmWeight weight(cores, pass.split, backend, wide);
  const std::vector<Panel> panels = panels_of(weight, pass.panels, dy.shape[1]);
  const Shape size = {weight.in(), panels[0].blocks * weight.block()};
  // dW takes the place of W, of which it has no more need.
  Tensor dw = Tensor::empty(backend, size, wide);
  Tensor w = x.dtype == wide ? dw : Tensor::empty(backend, size, x.dtype);
  // Sums over panels are kept in the wide type.
  const bool direct = x.dtype == wide || panels.size() == 1;
  const Tensor sum = direct ? Tensor() : Tensor::empty(backend, dx.shape, wide);
  for (const Panel& p : panels) {
    const View dy_panel = dy.slice(1, p.first, p.count);
    if (dx.data != nullptr) {
      weight.build(p.first_block, p.blocks, w.view());
      const View columns = w.view().slice(0, 0, x.shape[1]).slice(1, 0, p.count);
      backend.gemm(direct ? dx : sum.view(), dy_panel, columns.transpose(0, 1),
                   {.beta = p.first == 0 ? 0.0 : 1.0});
    }
    const bool padded = x.shape[1] < size[0] || p.count < size[1];
    if (padded) backend.fill(dw.view(), 0.0);
    backend.gemm(dw.view().slice(0, 0, x.shape[1]).slice(1, 0, p.count), x.transpose(0, 1),
                 dy_panel, {});
    weight.project(p.first_block, p.blocks, dw.view());
  }
  if (!direct && dx.data != nullptr) backend.copy(dx, sum.view());
  dw = w = Tensor();  // room for what gradients() makes
  return weight.gradients();
}

std::vector<Gradient> backward(const View& dx, const View& dy, const View& x,
                               std::span<const Tensor> cores, const TtmLayer& layer,
                               const ChainPass& pass, Backend& backend) {
  return TtmChain(cores, layer.shape, pass, backend, accumulator_of(x.dtype)).backward(dx, dy, x);
}

}  // namespace

void run_forward(const View& y, const View& x, std::span<const Tensor> cores, const TtmLayer& layer,
                 const TtmPass& pass, Backend& backend) {
  std::visit([&](const auto& each) { forward(y, x, cores, layer, each, backend); }, pass);
}

std::vector<Gradient> run_backward(const View& dx, const View& dy, const View& x,
                                   std::span<const Tensor> cores, const TtmLayer& layer,
                                   const BackwardPass& pass, Backend& backend) {
  View dx_with_cores = dx;
  if (pass.input && dx.data != nullptr) {
    run_input_gradient(dx, dy, cores, layer, *pass.input, backend);
    dx_with_cores = View{};
  }
  return std::visit(
      [&](const auto& each) { return backward(dx_with_cores, dy, x, cores, layer, each, backend); },
      pass.cores);
}

void run_input_gradient(const View& dx, const View& dy, std::span<const Tensor> cores,
                        const TtmLayer& layer, const TtmPass& pass, Backend& backend) {
  std::vector<Tensor> exchanged;
  for (const Tensor& core : cores) {
    exchanged.push_back(core.alias(core.view().transpose(1, 2)).contiguous());
  }
  run_forward(dx, dy, exchanged, transposed(layer), pass, backend);
}

}  // namespace ty
