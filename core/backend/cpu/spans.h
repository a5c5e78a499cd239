// The inner loops of the CPU backend: functions on contiguous runs of floats, compiled for several
// instruction sets and chosen at run time.
//
// All fp32 work of the backend ends here; bf16 and fp16 arrive as chunks of floats. fp64, which is
// for checks rather than for speed, uses scalar loops elsewhere.
#pragma once

#include <cstdint>

#include "core/backend/backend.h"

namespace ty::spans {

// y = op(x); dx = dy op'(x). In place.
void unary(UnaryOp op, float* y, const float* x, std::int64_t n);
void unary_grad(UnaryOp op, float* dx, const float* x, const float* dy, std::int64_t n);
// y = a op b; b_step 0 repeats b[0].
void binary(BinaryOp op, float* y, const float* a, const float* b, std::int64_t n, int b_step);
// y = alpha x + beta y.
void axpby(float* y, float alpha, const float* x, float beta, std::int64_t n);

double sum(const float* x, std::int64_t n);
double sum_squares(const float* x, std::int64_t n);
float dot(const float* a, const float* b, std::int64_t n);
float max(const float* x, std::int64_t n);
// y = exp(x - shift), returns the sum. In place.
float exp_shifted(float* y, const float* x, float shift, std::int64_t n);
// Sum of exp(x - shift).
float sum_exp_shifted(const float* x, float shift, std::int64_t n);
// y = weight * exp(x - shift). In place.
void scaled_exp(float* y, const float* x, float shift, float weight, std::int64_t n);

// y = (x - mean) rstd gamma + beta.
void normalise(float* y, const float* x, float mean, float rstd, const float* gamma,
               const float* beta, std::int64_t n);
// Sum of squared deviations from the mean.
float sum_deviations(const float* x, float mean, std::int64_t n);
// Layer-norm gradient of one row: adds to dgamma and dbeta, overwrites dx (may be dy).
void normalise_grad(float* dx, float* dgamma, float* dbeta, const float* dy, const float* x,
                    float mean, float rstd, const float* gamma, std::int64_t n);
// dscore = p * (dp - delta) * scale.
void softmax_grad(float* dp, const float* p, float delta, float scale, std::int64_t n);

struct AdamWConstants {
  float gradient_scale, beta1, beta2, decay, step_size, inv_sqrt_correction2, eps;
};
void adamw(float* w, float* m, float* v, const float* g, const AdamWConstants& c, std::int64_t n);

// y[j * ys + i] = x[i * xs + j] for i < rows, j < cols.
void transpose(float* y, std::int64_t ys, const float* x, std::int64_t xs, std::int64_t rows,
               std::int64_t cols);

void to_float(float* y, const bf16* x, std::int64_t n);
void from_float(bf16* y, const float* x, std::int64_t n);
void to_float(float* y, const f16* x, std::int64_t n);
void from_float(f16* y, const float* x, std::int64_t n);

}  // namespace ty::spans
