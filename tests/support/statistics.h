// Statistics of layers for tests.
#pragma once

#include <cmath>
#include <string_view>

#include "models/statistics/statistics.h"
#include "tests/support/matrices.h"

namespace ty::test {

// That say the same of all inputs and weights.
inline LayerStatistics even_statistics(std::int64_t in, std::int64_t out) {
  LayerStatistics even;
  even.fisher = Matrix(in, out, std::vector<double>(static_cast<std::size_t>(in * out), 0.7));
  even.gram = identity(in);
  even.mean_input.assign(static_cast<std::size_t>(in), 0.3);
  even.max_input.assign(static_cast<std::size_t>(in), 1.0);
  even.lora_rows.assign(static_cast<std::size_t>(in), 0.7 * static_cast<double>(out));
  even.lora_columns.assign(static_cast<std::size_t>(out), 0.7 * static_cast<double>(in));
  even.scores = even.fisher;
  return even;
}

// Numbers above 0 whose rows and columns differ by orders of magnitude, as Fisher information does.
inline Matrix random_fisher(std::int64_t in, std::int64_t out, std::string_view name) {
  const std::string stem(name);
  const Matrix rows = random_matrix(in, 1, stem + ".rows");
  const Matrix columns = random_matrix(1, out, stem + ".columns");
  Matrix fisher = random_matrix(in, out, stem);
  for (std::int64_t i = 0; i < in; ++i) {
    for (std::int64_t j = 0; j < out; ++j) {
      const double gradient = fisher(i, j) * std::exp(1.5 * rows(i, 0) + columns(0, j));
      fisher(i, j) = gradient * gradient;
    }
  }
  return fisher;
}

}  // namespace ty::test
