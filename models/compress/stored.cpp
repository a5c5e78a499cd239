#include "models/compress/stored.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/backend/backend.h"
#include "core/base/error.h"
#include "core/base/host_copy.h"
#include "models/linear/dense_weight.h"

namespace ty {

namespace {

void round_to(DType dtype, std::vector<double>& values, const std::string& name) {
  const Shape shape = {static_cast<std::int64_t>(values.size())};
  std::vector<std::byte> stored(values.size() * size_of(dtype));
  const View wide = contiguous_view(values.data(), DType::f64, shape);
  const View narrow = contiguous_view(stored.data(), dtype, shape);
  const auto largest = std::max_element(
      values.begin(), values.end(), [](double a, double b) { return std::abs(a) < std::abs(b); });
  const double value = largest == values.end() ? 0.0 : *largest;
  host_copy(wide, narrow);
  host_copy(narrow, wide);
  if (std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); })) return;
  throw NonFiniteError("{}: {:.6g} is more than {} can hold", name, value, name_of(dtype));
}

// A decomposition with rounded factors, and how far it was from w before.
struct Rounded {
  Decomposition stored;
  double error_before;
};

Rounded rounded(Decomposition d, const Matrix& w, DType dtype) {
  for (auto& [name, values] : d.factors) round_to(dtype, values, name);
  const double before = std::exchange(d.error, frobenius_norm(difference(d, w)));
  return {std::move(d), before};
}

double square(double x) { return x * x; }

}  // namespace

Matrix difference(const Decomposition& stored, const Matrix& w) {
  const auto of_factor = [&](const std::string& name, const Shape&) {
    return stored.factors.at(name);
  };
  return subtract(dense_weight(stored.spec, {.in = w.rows, .out = w.cols}, of_factor), w);
}

Decomposition decompose_stored(const Decompose& decompose, const Matrix& w,
                               const DecompositionRequest& request, DType dtype, bool holds_error) {
  constexpr int kMostTries = 3;  // the second one nearly always does
  const auto make = [&](const DecompositionRequest& wanted) {
    return rounded(decompose(wanted), w, dtype);
  };
  Rounded first = make(request);
  const auto* budget = std::get_if<ErrorBudget>(&request.budget);
  if (budget == nullptr || !holds_error) return std::move(first.stored);
  const double norm = frobenius_norm(w), bound = budget->eps * norm;
  // What is cut off and what is rounded off are all but orthogonal: their squares add up.
  Rounded last = first;
  for (int i = 1; i < kMostTries && last.stored.error > bound; ++i) {
    const double left = square(bound) - square(last.stored.error) + square(last.error_before);
    if (left <= 0) break;
    DecompositionRequest stricter = request;
    stricter.budget = ErrorBudget{0.999 * std::sqrt(left) / norm};
    last = make(stricter);
  }
  return last.stored.error <= bound ? std::move(last.stored) : std::move(first.stored);
}

}  // namespace ty
