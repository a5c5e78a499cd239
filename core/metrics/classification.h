// Scores of predicted classes against the expected ones, from counts that are exact.
//
// Both lists have one class per example and equal lengths of at least 1; everything here throws
// InternalError otherwise.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ty {

using Classes = std::span<const std::int32_t>;

// Share of examples whose class is the expected one.
double accuracy(Classes expected, Classes predicted);

// Examples by whether they are, and whether they were called, of one class.
struct BinaryCounts {
  std::int64_t true_positive = 0, false_positive = 0, false_negative = 0, true_negative = 0;
  friend bool operator==(const BinaryCounts&, const BinaryCounts&) = default;
};
BinaryCounts binary_counts(Classes expected, Classes predicted, std::int32_t positive);

// Harmonic mean of precision and recall of one class, 2 TP / (2 TP + FP + FN); 0 if the class
// neither occurs nor is predicted.
double f1(Classes expected, Classes predicted, std::int32_t positive = 1);

// Examples by expected class (row) and predicted class (column), row-major.
struct ConfusionCounts {
  std::int64_t num_classes = 0;
  std::vector<std::int64_t> counts;  // [num_classes, num_classes]
  std::int64_t at(std::int64_t expected, std::int64_t predicted) const {
    return counts[static_cast<std::size_t>(expected * num_classes + predicted)];
  }
};
// Throws InternalError if a class is outside of [0, num_classes).
ConfusionCounts confusion_counts(Classes expected, Classes predicted, std::int64_t num_classes);

// Matthews correlation coefficient in [-1, 1], for any number of classes (Gorodkin, 2004): the
// correlation of the two indicator matrices; 0 if either list is constant. Classes are >= 0.
double matthews_correlation(Classes expected, Classes predicted);

}  // namespace ty
