// Statistics of linear layers over data: what methods of compression weigh errors by.
//
//   fisher  [in, out]   mean over examples of (dL/dW)^2, element by element; L: the example's mean
//                       loss with the labels of the data (the empirical Fisher diagonal). Or the
//                       mean over batches, of the batch's mean gradient squared.
//   gram    [in, in]    mean over rows of x^T x: |X (W - W~)|^2 = rows tr((W - W~)^T gram (W - W~))
//   inputs  [in] each   mean and largest |x| over rows
//
// A row is what a layer multiplies at once, padding excluded.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/linalg/matrix.h"

namespace ty {

enum class StatisticKind : std::uint8_t { fisher, gram, inputs };
inline constexpr std::array kStatisticKinds = {StatisticKind::fisher, StatisticKind::gram,
                                               StatisticKind::inputs};
constexpr std::string_view name_of(StatisticKind kind) {
  constexpr std::array<std::string_view, 3> kNames = {"fisher", "gram", "inputs"};
  return kNames[static_cast<std::size_t>(kind)];
}

// A set of kinds.
struct StatisticKinds {
  bool fisher = false, gram = false, inputs = false;

  bool has(StatisticKind kind) const {
    return kind == StatisticKind::fisher ? fisher : kind == StatisticKind::gram ? gram : inputs;
  }
  void add(StatisticKind kind) {
    (kind == StatisticKind::fisher ? fisher : kind == StatisticKind::gram ? gram : inputs) = true;
  }
};

// Over what the mean of squared gradients is taken.
enum class FisherTerms : std::uint8_t { examples, batches };

// Of one layer, on the host; empty where it is not known.
struct LayerStatistics {
  Matrix fisher = {};
  Matrix gram = {};
  std::vector<double> mean_input = {}, max_input = {};  // of |x|

  bool has(StatisticKind kind) const {
    return kind == StatisticKind::fisher ? fisher.rows > 0
           : kind == StatisticKind::gram ? gram.rows > 0
                                         : !mean_input.empty();
  }
};

// What statistics were taken over.
struct StatisticsOrigin {
  std::int64_t examples = 0;
  FisherTerms fisher = FisherTerms::examples;
  std::int64_t batch = 0;  // examples of a batch
  std::string loss = {};   // "cross entropy"
  std::string data = {};   // file
  std::string data_hash = {};
};

}  // namespace ty
