// Functions of elements for map() that draw random numbers: those of the CPU, whatever the launch.
#pragma once

#include <numbers>

#include "core/backend/cuda/kernel/pack.h"
#include "core/backend/cuda/kernel/philox.h"
#include "core/backend/formulas.h"

namespace ty::cuda::kernel {

// What is kept of a probability mask, and how: DropoutMask for kernels.
template <typename C>
struct Mask {
  std::uint64_t key;
  std::uint32_t threshold;  // elements whose 24-bit number is below are dropped
  C keep;                   // 1 / (1 - p)
  std::int64_t first_row, rows_per_sample, first_element, whole_width;

  TY_DEVICE std::uint64_t sample(std::int64_t row) const {
    return static_cast<std::uint64_t>((first_row + row) / rows_per_sample);
  }
  // DropoutMask::words_of(row, width).first
  TY_DEVICE std::uint64_t first_word(std::int64_t row, std::int64_t width) const {
    const std::int64_t whole = whole_width > 0 ? whole_width : width;
    return static_cast<std::uint64_t>((first_row + row) % rows_per_sample * whole + first_element);
  }
  TY_DEVICE bool drops(std::uint32_t word) const { return word >> 8 < threshold; }
  TY_DEVICE C factor(std::uint32_t word) const { return drops(word) ? C(0) : keep; }
};

template <typename C>
struct Dropout {
  using Compute = C;
  Mask<C> mask;
  std::int64_t width;  // elements of a row
  // No pack reaches beyond a row.
  template <int V, typename B>
  TY_DEVICE void operator()(std::int64_t i, Pack<C, V>& y, const Pack<C, V>& x, const B&) const {
    const std::int64_t row = i / width;
    const std::uint64_t first =
        mask.first_word(row, width) + static_cast<std::uint64_t>(i - row * width);
    WordReader words(mask.key, mask.sample(row));
    TY_UNROLL for (int k = 0; k < V; ++k) {
      const std::uint32_t word = words(first + static_cast<std::uint64_t>(k));
      y[k] = mask.drops(word) ? C(0) : mask.keep * x[k];
    }
  }
};

// std * normal(stream, 0, first + r row_step + c) of element (r, c): core/base/random.h.
struct Normal {
  using Compute = double;
  std::uint64_t key;
  std::int64_t first, row_step, columns;
  double std;
  template <int V, typename A, typename B>
  TY_DEVICE void operator()(std::int64_t i, Pack<double, V>& y, const A&, const B&) const {
    TY_UNROLL for (int k = 0; k < V; ++k) {
      const std::int64_t row = (i + k) / columns;
      const auto number =
          static_cast<std::uint64_t>(first + row * row_step + (i + k) - row * columns);
      const Words words = random_block(key, 0, number / 4);
      const auto pair = static_cast<std::uint32_t>(number / 2 % 2 * 2);
      const auto open = [](std::uint32_t word) {
        return (static_cast<double>(word) + 0.5) * 0x1p-32;
      };
      const double radius = std::sqrt(-2.0 * std::log(open(words.pick(pair))));
      const double angle = 2.0 * std::numbers::pi * open(words.pick(pair + 1));
      y[k] = std * (radius * (number % 2 == 0 ? std::cos(angle) : std::sin(angle)));
    }
  }
};

template <typename T>
struct RoundStochastic {
  using Compute = float;
  std::uint64_t key;
  std::int64_t first;
  template <int V, typename B>
  TY_DEVICE void operator()(std::int64_t i, Pack<float, V>& y, const Pack<float, V>& x,
                            const B&) const {
    WordReader words(key, 0);
    TY_UNROLL for (int k = 0; k < V; ++k) {
      const std::uint32_t word = words(static_cast<std::uint64_t>(first + i + k));
      const float u = static_cast<float>(word >> 8) * 0x1p-24f;
      y[k] = static_cast<float>(formulas::round_stochastic<T>(x[k], u));
    }
  }
};

}  // namespace ty::cuda::kernel
