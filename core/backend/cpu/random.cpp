// Kernels that draw numbers. A Philox block gives four words, so work is cut along blocks.
#include <algorithm>

#include "core/backend/cpu/cpu_backend.h"
#include "core/backend/cpu/runs.h"
#include "core/backend/formulas.h"
#include "core/base/rounding.h"

namespace ty {

namespace {
constexpr std::int64_t kPiece = 2048;  // numbers of one piece of work
}

void CpuBackend::dropout(const View& y, const View& x, const DropoutMask& mask) {
  if (!y.is_contiguous() || !x.is_contiguous() || y.rank() == 0)
    return reference_.dropout(y, x, mask);
  const std::int64_t width = y.numel() / std::max<std::int64_t>(y.shape[0], 1);
  const std::int64_t pieces = divided_up(width, kPiece);
  dispatch_float(y.dtype, "dropout", [&](auto t) {
    using T = decltype(t);
    using A = accumulator_t<T>;
    const auto keep = static_cast<A>(1.0 / (1.0 - mask.p));
#pragma omp parallel for collapse(2) schedule(static)
    for (std::int64_t row = 0; row < y.shape[0]; ++row) {
      for (std::int64_t piece = 0; piece < pieces; ++piece) {
        // Words [begin, end) of the sample; element 0 of the row has word `start`.
        const auto [sample, first] = mask.words_of(row, width);
        const auto start = static_cast<std::int64_t>(first);
        const std::int64_t begin = start + piece * kPiece;
        const std::int64_t end = std::min(begin + kPiece, start + width);
        const std::int64_t shift = row * width - start;  // from words to elements
        for (std::int64_t block = begin / 4; block < divided_up(end, 4); ++block) {
          const auto words = mask.stream.block(sample, static_cast<std::uint64_t>(block));
          for (std::int64_t i = std::max(begin, 4 * block); i < std::min(end, 4 * block + 4); ++i) {
            const float u = uniform_float(words[static_cast<std::size_t>(i % 4)]);
            const bool drop = static_cast<double>(u) < mask.p;
            y.as<T>()[i + shift] =
                static_cast<T>(drop ? A(0) : keep * static_cast<A>(x.as<T>()[i + shift]));
          }
        }
      }
    }
  });
}

void CpuBackend::random_normal(const View& y, const RandomStream& stream, std::int64_t first,
                               std::int64_t row_step, double std) {
  if (!y.is_contiguous()) return reference_.random_normal(y, stream, first, row_step, std);
  const std::int64_t columns = y.shape[1];
  const std::int64_t pieces = divided_up(columns, kPiece);
  dispatch_float(y.dtype, "random_normal", [&](auto t) {
    using T = decltype(t);
    using A = accumulator_t<T>;
#pragma omp parallel for collapse(2) schedule(static)
    for (std::int64_t row = 0; row < y.shape[0]; ++row) {
      for (std::int64_t piece = 0; piece < pieces; ++piece) {
        // Numbers [begin, end) of the stream; they come in pairs.
        const std::int64_t start = first + row * row_step;
        const std::int64_t begin = start + piece * kPiece;
        const std::int64_t end = std::min(begin + kPiece, start + columns);
        T* const to = y.as<T>() + row * columns;
        for (std::int64_t pair = begin / 2; pair < divided_up(end, 2); ++pair) {
          const auto numbers = normal_pair(stream, 0, static_cast<std::uint64_t>(pair));
          for (std::int64_t i = std::max(begin, 2 * pair); i < std::min(end, 2 * pair + 2); ++i) {
            to[i - start] =
                static_cast<T>(static_cast<A>(std * numbers[static_cast<std::size_t>(i % 2)]));
          }
        }
      }
    }
  });
}

void CpuBackend::round_stochastic(const View& y, const View& x, const RandomStream& stream,
                                  std::int64_t first) {
  if (size_of(y.dtype) != 2) return reference_.round_stochastic(y, x, stream, first);
  const std::int64_t end = first + y.numel();
  dispatch_float(y.dtype, "round_stochastic", [&](auto t) {
    using T = decltype(t);
    if constexpr (sizeof(T) == 2) {
#pragma omp parallel for schedule(static)
      for (std::int64_t block = first / 4; block < (end + 3) / 4; ++block) {
        const auto words = stream.block(0, static_cast<std::uint64_t>(block));
        for (std::int64_t i = std::max(first, 4 * block); i < std::min(end, 4 * block + 4); ++i) {
          y.as<T>()[i - first] = formulas::round_stochastic<T>(
              x.as<float>()[i - first], uniform_float(words[static_cast<std::size_t>(i % 4)]));
        }
      }
    }
  });
}

}  // namespace ty
