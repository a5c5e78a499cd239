// Statistics of linear layers over data: what methods of compression weigh errors by.
//
//   fisher  [in, out]   mean over examples of (dL/dW)^2, element by element; L: the example's mean
//                       loss with the labels of the data (the empirical Fisher diagonal). Or the
//                       mean over batches, of the batch's mean gradient squared.
//   gram    [in, in]    mean over rows of x^T x: |X (W - W~)|^2 = rows tr((W - W~)^T gram (W - W~))
//   inputs  [in] each   mean and largest |x| over rows
//   lora    [in], [out] sums over rows and columns of the mean over examples (or batches, as above)
//                       of the importance that a LoRA adapter alone gives to the entries of the
//                       weight that it is part of (adapter_importance.h)
//
// A row is what a layer multiplies at once, padding excluded.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/linalg/matrix.h"
#include "models/linear/rules.h"

namespace ty {

enum class StatisticKind : std::uint8_t { fisher, gram, inputs, lora };
inline constexpr std::array kStatisticKinds = {StatisticKind::fisher, StatisticKind::gram,
                                               StatisticKind::inputs, StatisticKind::lora};
constexpr std::string_view name_of(StatisticKind kind) {
  constexpr std::array<std::string_view, 4> kNames = {"fisher", "gram", "inputs", "lora"};
  return kNames[static_cast<std::size_t>(kind)];
}
// Whether a layer can have one: lora if it has an adapter of two factors, whose columns keep their
// lengths; fisher unless its gradients come through an adapter that lies behind it.
bool has_statistic(const LinearSite& site, StatisticKind kind);

// A set of kinds.
struct StatisticKinds {
  bool fisher = false, gram = false, inputs = false, lora = false;

  bool has(StatisticKind kind) const { return this->*member(kind); }
  void add(StatisticKind kind) { this->*member(kind) = true; }
  bool any() const { return fisher || gram || inputs || lora; }

 private:
  static constexpr bool StatisticKinds::*member(StatisticKind kind) {
    constexpr std::array kMembers = {&StatisticKinds::fisher, &StatisticKinds::gram,
                                     &StatisticKinds::inputs, &StatisticKinds::lora};
    return kMembers[static_cast<std::size_t>(kind)];
  }
};
// Those of them that a layer can have.
StatisticKinds possible_kinds(const LinearSite& site, StatisticKinds wanted);

// Over what the mean of squared gradients is taken.
enum class FisherTerms : std::uint8_t { examples, batches };

// Of one layer, on the host; empty where it is not known.
struct LayerStatistics {
  Matrix fisher = {};
  Matrix gram = {};
  std::vector<double> mean_input = {}, max_input = {};    // of |x|
  std::vector<double> lora_rows = {}, lora_columns = {};  // importance
  Matrix scores = {};  // of a pruned layer (models/linear/pruned): those above 0 of what remains

  bool has(StatisticKind kind) const;
};

// What statistics were taken over.
struct StatisticsOrigin {
  std::int64_t examples = 0;
  FisherTerms fisher = FisherTerms::examples;
  std::int64_t batch = 0;  // examples of a batch
  std::string loss = {};   // "cross entropy"
  std::string data = {};   // file
  std::string data_hash = {};
  std::string model_hash = {};  // of the model's files; empty: not known
};

}  // namespace ty
