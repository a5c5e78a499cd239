// Replaces layers of a trained model by factors: selects the layers, decomposes each, and describes
// the resulting model.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "models/compress/method.h"
#include "models/huggingface/conversion.h"
#include "models/statistics/statistics_file.h"

namespace ty {

// A layer before and after compression.
struct CompressedLayer {
  LinearSite before;
  Decomposition after;        // factors of what was cut, rounded to
  DType dtype = DType::f32;   // the type in which the factors are stored
  double relative_error = 0;  // |W - W~| / |W| of what is stored, W what was cut
  // The same in other norms, where statistics say: entries weighted by Fisher information, and the
  // layer's outputs.
  std::optional<double> fisher_error = {}, output_error = {};

  LinearSite site() const;  // after
};

struct Compression {
  std::vector<CompressedLayer> layers;
  std::int64_t parameters_before = 0, parameters_after = 0;  // of the whole model
  std::int64_t tokens = 0;  // FLOPs are reported for a sequence of this length
};

// How a budget is divided. even: each layer has the same; sensitivity: a ShareBudget is that of all
// layers together, and each gets the rank that gains most there (allocation.h).
enum class Allocation : std::uint8_t { even, sensitivity };

struct CompressionOptions {
  const StatisticsFile* statistics = nullptr;  // what the method needs, and may report
  Allocation allocation = Allocation::even;
  // Whether what a layer's adapter stands beside is cut, and the adapter kept; else the adapter is
  // added in first.
  bool keeps_adapters = false;
  // Called with the index of each layer before it starts; twice for each if their ranks are chosen
  // first.
  std::function<void(std::size_t layer)> progress = [](std::size_t) {};
};

// Throws UsageError if a pattern matches no linear layer.
void check_patterns(const StoredModel& source, const std::vector<std::string>& patterns);
// The layers that match the patterns, of whatever kind: what is factorised is multiplied out first,
// unless the method can lower the ranks of just such factors. Throws UsageError if a pattern
// matches none, or a layer that the method cannot handle.
std::vector<LinearSite> layers_to_compress(const StoredModel& source, const Method& method,
                                           const std::vector<std::string>& patterns);

// Throws UsageError, with the layer's path, for a request that no layer of this size can meet.
void check_request(const LinearSite& site, const Method& method,
                   const DecompositionRequest& request);

// Decomposes the layers. Throws UsageError, with the layer's path, for a request that the layer
// cannot meet, and DataError for statistics that do not fit; all before any work is done.
Compression compress(const StoredModel& source, const std::vector<LinearSite>& layers,
                     const Method& method, const DecompositionRequest& request,
                     const CompressionOptions& options = {});

// The layers whose relative error exceeds `error`, because factors of their type cannot come closer
// to W.
std::vector<const CompressedLayer*> layers_beyond(const Compression& compression, double error);

// The conversion that puts the factors in the place of the layers; keeps references to both
// arguments.
Conversion conversion_of(const StoredModel& source, const Compression& compression);

}  // namespace ty
