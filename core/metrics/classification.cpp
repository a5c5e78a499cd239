#include "core/metrics/classification.h"

#include <algorithm>
#include <cmath>

#include "core/base/error.h"

namespace ty {

namespace {

void check_pairs(Classes expected, Classes predicted) {
  TY_CHECK(expected.size() == predicted.size() && !expected.empty(),
           "{} expected and {} predicted classes; want equally many, at least one", expected.size(),
           predicted.size());
}

}  // namespace

double accuracy(Classes expected, Classes predicted) {
  check_pairs(expected, predicted);
  std::int64_t right = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) right += expected[i] == predicted[i] ? 1 : 0;
  return static_cast<double>(right) / static_cast<double>(expected.size());
}

BinaryCounts binary_counts(Classes expected, Classes predicted, std::int32_t positive) {
  check_pairs(expected, predicted);
  BinaryCounts counts;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const bool is = expected[i] == positive, called = predicted[i] == positive;
    ++(called ? (is ? counts.true_positive : counts.false_positive)
              : (is ? counts.false_negative : counts.true_negative));
  }
  return counts;
}

double f1(Classes expected, Classes predicted, std::int32_t positive) {
  const BinaryCounts counts = binary_counts(expected, predicted, positive);
  const std::int64_t twice = 2 * counts.true_positive;
  const std::int64_t all = twice + counts.false_positive + counts.false_negative;
  return all == 0 ? 0.0 : static_cast<double>(twice) / static_cast<double>(all);
}

ConfusionCounts confusion_counts(Classes expected, Classes predicted, std::int64_t num_classes) {
  check_pairs(expected, predicted);
  ConfusionCounts result{num_classes, {}};
  result.counts.resize(static_cast<std::size_t>(num_classes * num_classes));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    for (const std::int32_t one : {expected[i], predicted[i]}) {
      TY_CHECK(one >= 0 && one < num_classes, "example {} has class {}; want 0 to {}", i, one,
               num_classes - 1);
    }
    ++result.counts[static_cast<std::size_t>(expected[i] * num_classes + predicted[i])];
  }
  return result;
}

double matthews_correlation(Classes expected, Classes predicted) {
  check_pairs(expected, predicted);
  const std::int32_t last = std::max(*std::max_element(expected.begin(), expected.end()),
                                     *std::max_element(predicted.begin(), predicted.end()));
  const ConfusionCounts confusion = confusion_counts(expected, predicted, std::int64_t{last} + 1);
  // With s examples, c right ones, t_k of class k and p_k called k:
  // (c s - sum t_k p_k) / sqrt((s^2 - sum t_k^2) (s^2 - sum p_k^2)).
  const auto s = static_cast<std::int64_t>(expected.size());
  std::int64_t right = 0, tp = 0, tt = 0, pp = 0;
  for (std::int64_t k = 0; k <= last; ++k) {
    std::int64_t t = 0, p = 0;
    for (std::int64_t other = 0; other <= last; ++other) {
      t += confusion.at(k, other);
      p += confusion.at(other, k);
    }
    right += confusion.at(k, k);
    tp += t * p;
    tt += t * t;
    pp += p * p;
  }
  if (s * s == tt || s * s == pp) return 0.0;
  const double spread = static_cast<double>(s * s - tt) * static_cast<double>(s * s - pp);
  return static_cast<double>(right * s - tp) / std::sqrt(spread);
}

}  // namespace ty
