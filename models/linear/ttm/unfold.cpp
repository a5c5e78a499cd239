#include "models/linear/ttm/unfold.h"

#include <algorithm>

namespace ty {

namespace {

// Calls visit(position in the tensor, position in its unfolding, length) for each run of elements
// that lie together in both.
template <typename Visit>
void for_each_run(const std::vector<std::int64_t>& sizes, std::size_t mode, Visit&& visit) {
  std::int64_t before = 1, after = 1;
  for (std::size_t k = 0; k < mode; ++k) before *= sizes[k];
  for (std::size_t k = mode + 1; k < sizes.size(); ++k) after *= sizes[k];
  for (std::int64_t b = 0; b < before; ++b) {
    for (std::int64_t i = 0; i < sizes[mode]; ++i) {
      visit((b * sizes[mode] + i) * after, (i * before + b) * after, after);
    }
  }
}

}  // namespace

Matrix unfold(const std::vector<double>& tensor, const std::vector<std::int64_t>& sizes,
              std::size_t mode) {
  Matrix result(sizes[mode], std::ssize(tensor) / sizes[mode]);
  for_each_run(sizes, mode, [&](std::int64_t from, std::int64_t to, std::int64_t count) {
    std::copy_n(tensor.begin() + from, count, result.data.begin() + to);
  });
  return result;
}

std::vector<double> fold(const Matrix& unfolded, const std::vector<std::int64_t>& sizes,
                         std::size_t mode) {
  std::vector<double> result(unfolded.data.size());
  for_each_run(sizes, mode, [&](std::int64_t to, std::int64_t from, std::int64_t count) {
    std::copy_n(unfolded.data.begin() + from, count, result.begin() + to);
  });
  return result;
}

}  // namespace ty
