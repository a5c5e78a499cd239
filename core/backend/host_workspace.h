// Transient bytes that kernels of the host backend need while they run: CpuBackend allocates them,
// DryBackend counts them. `workers`: threads that share a kernel.
#pragma once

#include <cstdint>

#include "core/base/view.h"

namespace ty::host_workspace {

inline constexpr std::int64_t kQueryRows = 64;  // of attention, taken together
inline constexpr std::int64_t kSumRows = 64;    // of one partial sum, in reductions and norms

// Whether c [m, n] = a [m, k] b [k, n] is made by reading b once, as it lies: at most kFewRows
// rows, and columns enough for the threads. A 16-bit a is converted to fp32.
inline constexpr std::int64_t kFewRows = 8;
bool has_few_rows(const View& c, const View& a, const View& b);

// Other 16-bit operands of a product are converted to fp32: a [m, k] as a whole, b and c in panels
// of so many columns. m <= n: the caller swaps the operands otherwise.
std::int64_t panel_columns(std::int64_t m, std::int64_t n, std::int64_t k);
std::int64_t gemm(const View& c, const View& a, const View& b, int workers);

// The scores of kQueryRows query rows for each worker; 16-bit operands as a whole in fp32.
std::int64_t attention(const View& q, const View& k, int workers);
std::int64_t attention_grad(const View& q, const View& k, int workers);

// fp32 copies of rows of 16-bit operands, for each worker; partial sums over the rows of x [N, C].
std::int64_t layer_norm(const View& x, int workers);
std::int64_t layer_norm_grad(const View& x, int workers);

// Partial column sums, where whole leading dimensions are reduced.
std::int64_t reduce_sum(const View& y, const View& x);

}  // namespace ty::host_workspace
