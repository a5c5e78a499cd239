// Differentiable application of a tensor train matrix to activations, by any execution plan.
#pragma once

#include <span>

#include "core/ops/matmul.h"
#include "models/linear/ttm/ttm_plan.h"

namespace ty {

// y [.., out] = x [.., in] W + bias. cores: [R_{k-1}, I_k, J_k, R_k]; bias [out] or undefined.
// Keeps only x and the cores for backward; W and dW exist only during a pass.
Tensor ttm_linear(const Tensor& x, std::span<const Tensor> cores, const Tensor& bias,
                  const TtmLayer& layer, const TtmPlan& plan, InReplay result = InReplay::read);

// W [in, out] itself, to be shared by several products; its gradient is projected onto the cores.
Tensor ttm_weight(std::span<const Tensor> cores, const TtmLayer& layer, int split);

// The same as ttm_linear(), by recorded products that keep every state for backward: what a
// framework without a fused function would do; used as the baseline of measurements.
Tensor ttm_linear_recorded(const Tensor& x, std::span<const Tensor> cores, const Tensor& bias,
                           const TtmLayer& layer, const ChainPass& pass);

}  // namespace ty
