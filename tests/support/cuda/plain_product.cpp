#include "tests/support/cuda/plain_product.h"

#include <numeric>
#include <vector>

#include "core/base/elements.h"
#include "core/base/error.h"
#include "tests/support/cuda/device_memory.h"

namespace ty::cuda::emulated {

using blas::Matrix;

namespace {

// Element (row, column) of a matrix of the batch, as it takes part in the product.
std::int64_t at(const Matrix& x, std::int64_t row, std::int64_t column, std::int64_t item) {
  return item * x.distance + (x.transposed ? row * x.leading + column : column * x.leading + row);
}

// What cuBLASLt refuses.
void check(const Matrix& x, std::int64_t rows, std::int64_t columns) {
  const std::int64_t column = x.transposed ? columns : rows;
  TY_CHECK(rows >= 1 && columns >= 1, "an empty matrix [{}, {}]", rows, columns);
  TY_CHECK(x.leading >= column, "columns of {} elements that are {} apart", column, x.leading);
}

template <typename Offset>
std::vector<double> elements_of(const void* data, DType dtype, std::int64_t rows,
                                std::int64_t columns, Offset&& offset) {
  const View x{const_cast<void*>(data), dtype, {}, {}};
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(rows * columns));
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns; ++c) {
      values.push_back(elements::load_any(x, offset(r, c)));
    }
  }
  return values;
}

}  // namespace

void multiply(const blas::Product& p, double alpha, const blas::Operands& operands, double beta) {
  const Access access;
  check(p.a, p.m, p.k);
  check(p.b, p.k, p.n);
  check(p.c, p.m, p.n);
  TY_CHECK(!p.c.transposed, "a transposed result");
  TY_CHECK(p.out == p.in || (p.out == DType::f32 && size_of(p.in) == 2), "{} from {}",
           name_of(p.out), name_of(p.in));
  TY_CHECK(p.has_bias == (operands.bias != nullptr), "a bias that is asked for or given alone");
  const View c{operands.c, p.out, {}, {}}, bias{const_cast<void*>(operands.bias), p.out, {}, {}};
  for (std::int64_t item = 0; item < p.batch; ++item) {
    // Both with k innermost.
    const std::vector<double> a = elements_of(operands.a, p.in, p.m, p.k,
                                              [&](auto m, auto k) { return at(p.a, m, k, item); });
    const std::vector<double> b = elements_of(operands.b, p.in, p.n, p.k,
                                              [&](auto n, auto k) { return at(p.b, k, n, item); });
    for (std::int64_t n = 0; n < p.n; ++n) {
      for (std::int64_t m = 0; m < p.m; ++m) {
        const double sum = std::inner_product(a.begin() + m * p.k, a.begin() + (m + 1) * p.k,
                                              b.begin() + n * p.k, 0.0);
        const std::int64_t to = at(p.c, m, n, item);
        const double before = beta == 0.0 ? 0.0 : beta * elements::load_any(c, to);
        const double added = p.has_bias ? elements::load_any(bias, m) : 0.0;
        elements::store_any(c, to, alpha * sum + before + added);
      }
    }
  }
}

}  // namespace ty::cuda::emulated
