// Adds up the statistics of linear layers while a model runs backwards.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/data/batch.h"
#include "models/linear/base/observed.h"
#include "models/linear/rules.h"
#include "models/statistics/statistics.h"
#include "models/statistics/sums.h"
#include "parallel/data/reduction.h"

namespace ty {

// Sums over what one layer has seen; tensors are fp64, and undefined where they are not wanted.
struct LayerSums {
  Tensor fisher;  // [in, out]
  Tensor gram;    // [in, in], upper triangle
  std::vector<double> input_sum, input_max;
  Tensor lora_rows, lora_columns;  // [in], [out]
  double rows = 0;
};

// The sums of several layers, by path.
class StatisticsSums {
 public:
  // Zeros.
  StatisticsSums(Backend& backend, const std::vector<LinearSite>& layers, StatisticKinds kinds);

  LayerSums& at(const std::string& path) { return layers_.at(path); }
  const LayerSums& at(const std::string& path) const { return layers_.at(path); }
  double terms = 0;  // squared gradients in each fisher and lora
  double loss = 0, targets = 0;

  void add(const StatisticsSums& other);
  // Adds up those of all ranks, in that order; every rank gets the result. A collective call.
  void add_over(const Group& data, Reduction reduction);

 private:
  Backend* backend_;
  std::map<std::string, LayerSums> layers_;
};

// What one layer's sums come to: means, of one kind.
LayerStatistics finished(const StatisticsSums& sums, const std::string& path, StatisticKind kind);

// Rows of a batch's sequences.
struct SequenceRows {
  std::int64_t length = 0;                 // T
  std::vector<std::int64_t> counted = {};  // of each that are no padding; empty: all
};
// What a collector has to know of the examples whose backward is to come.
struct ExampleRows {
  std::int64_t sequences = 0;
  SequenceRows read;                 // by the model; of an encoder-decoder, by its encoder
  SequenceRows written;              // of an encoder-decoder, by its decoder
  std::vector<double> targets = {};  // of each example

  // Those that a layer sees.
  const SequenceRows& of(const std::string& path) const;
};
ExampleRows rows_of_examples(const HostBatch& batch);

class StatisticsCollector final : public LinearObserver {
 public:
  StatisticsCollector(Backend& backend, std::vector<LinearSite> layers, StatisticKinds kinds,
                      FisherTerms fisher);

  const std::vector<LinearSite>& layers() const { return layers_; }
  StatisticsSums zeros() const { return {backend_, layers_, kinds_}; }
  // Around one backward of the sum of the losses of these examples; both must outlive it.
  void begin(StatisticsSums& sums, const ExampleRows& examples);
  // Throws InternalError unless each layer was seen once.
  void end();

  bool watches(const std::string& path) const override { return seen_.contains(path); }
  void seen(const std::string& path, const Linear& layer, const Tensor& x,
            const Tensor& dy) override;

 private:
  // Which rows' gradients are squared together; dy has `rows` rows per example.
  std::vector<GradientTerm> terms(std::int64_t rows) const;
  // x, which the layer of this path reads, with zeros in the place of padding; sets the number of
  // other rows.
  Tensor without_padding(const std::string& path, const Tensor& x, double& counted) const;

  Backend& backend_;
  std::vector<LinearSite> layers_;
  StatisticKinds kinds_;
  FisherTerms fisher_;
  std::map<std::string, int> seen_;  // since begin()
  StatisticsSums* sums_ = nullptr;
  const ExampleRows* examples_ = nullptr;
};

}  // namespace ty
