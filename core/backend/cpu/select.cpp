#include <algorithm>

#include "core/backend/cpu/cpu_backend.h"
#include "core/backend/cpu/lanes.h"
#include "core/backend/cpu/runs.h"
#include "core/backend/order.h"

namespace ty {

namespace {

constexpr int kDigitBits = 11;
constexpr int kDigits = 1 << kDigitBits;

template <typename T>
auto order_at(const T* x, std::int64_t i) {
  if constexpr (std::is_same_v<T, double>) {
    return order_of(x[i]);
  } else {
    return order_of(static_cast<float>(x[i]));
  }
}

// The bound of the `kept` largest of x [count], 0 < kept < count: its order digit by digit from the
// highest. Of those that agree in the digits so far, whole groups that share the next digit are
// kept from the top, until one would be too many; the bound lies in that.
//
//   3 of   c7 c2 c2 b9     first digit c: all 3;  second digit 7: 1 kept, 2 left; 2: both
template <typename T>
KeptFrom bound_of(const T* x, std::int64_t count, std::int64_t kept) {
  using Word = decltype(order_at(x, 0));
  constexpr int kBits = 8 * sizeof(Word);
  Word order = 0;
  std::int64_t left = kept, equals = count;
  for (int high = kBits; high > 0;) {
    const int low = std::max(0, high - kDigitBits);
    const int last = (1 << (high - low)) - 1;
    const Word above = high == kBits ? Word(0) : static_cast<Word>(~Word(0) << high);
    std::int64_t counts[kDigits] = {};
#pragma omp parallel for schedule(static) reduction(+ : counts[:kDigits]) if (count > cpu::kChunk)
    for (std::int64_t i = 0; i < count; ++i) {
      const Word own = order_at(x, i);
      if (((own ^ order) & above) == 0) ++counts[(own >> low) & last];
    }
    int digit = last;
    while (counts[digit] < left) left -= counts[digit--];
    order |= static_cast<Word>(digit) << low;
    equals = counts[digit];
    high = low;
  }
  KeptFrom bound = {order, count - 1};
  for (std::int64_t i = 0; left < equals && i < count; ++i) {
    if (order_at(x, i) != order || --left > 0) continue;
    bound.last = i;
    break;
  }
  return bound;
}

}  // namespace

void CpuBackend::keep_largest(const View& y, const View& x, const View& scores, std::int64_t kept) {
  if (!y.is_contiguous() || !x.is_contiguous() || !scores.is_contiguous()) {
    return reference_.keep_largest(y, x, scores, kept);
  }
  const std::int64_t count = x.numel();
  if (kept <= 0) return fill(y, 0.0);
  if (kept >= count) return copy(y, x);
  dispatch_float(scores.dtype, "keep_largest", [&](auto s) {
    using S = decltype(s);
    const S* own = scores.as<S>();
    const KeptFrom bound = bound_of(own, count, kept);
    dispatch_float(x.dtype, "keep_largest", [&](auto t) {
      using T = decltype(t);
      const T* from = x.as<T>();
      T* to = y.as<T>();
#pragma omp parallel for schedule(static) if (count > cpu::kChunk)
      for (std::int64_t i = 0; i < count; ++i) {
        to[i] = bound.keeps(order_at(own, i), i) ? from[i] : T(0.0F);
      }
    });
  });
}

}  // namespace ty
