// The passes of a TTM layer on plain memory: ttm_linear() runs them, and so does the cost model, on
// a backend that only counts.
#pragma once

#include <span>
#include <vector>

#include "core/autograd/graph.h"
#include "models/linear/ttm/ttm_plan.h"

namespace ty {

// y [B, out] = x [B, in] W.
void run_forward(const View& y, const View& x, std::span<const Tensor> cores, const TtmLayer& layer,
                 const TtmPass& pass, Backend& backend);

// Given dy [B, out], writes dx [B, in] (no data: not wanted) and returns the gradients of the
// cores.
std::vector<Gradient> run_backward(const View& dx, const View& dy, const View& x,
                                   std::span<const Tensor> cores, const TtmLayer& layer,
                                   const BackwardPass& pass, Backend& backend);
// dx [B, in] = dy [B, out] W^T alone.
void run_input_gradient(const View& dx, const View& dy, std::span<const Tensor> cores,
                        const TtmLayer& layer, const TtmPass& pass, Backend& backend);

}  // namespace ty
