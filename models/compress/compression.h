// Replaces layers of a trained model by factors: selects the layers, decomposes each, and describes
// the resulting model.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "models/compress/method.h"
#include "models/huggingface/conversion.h"

namespace ty {

// A layer before and after compression.
struct CompressedLayer {
  LinearSite before;
  Decomposition after;        // rounded to
  DType dtype = DType::f32;   // the type in which the factors are stored
  double relative_error = 0;  // |W - W~| / |W| of what is stored

  LinearSite site() const;  // after
};

struct Compression {
  std::vector<CompressedLayer> layers;
  std::int64_t parameters_before = 0, parameters_after = 0;  // of the whole model
  std::int64_t tokens = 0;  // FLOPs are reported for a sequence of this length
};

// The dense layers that match the patterns. Throws UsageError if a pattern matches none, or a layer
// that the method cannot handle.
std::vector<LinearSite> layers_to_compress(const StoredModel& source, const Method& method,
                                           const std::vector<std::string>& patterns);

// Decomposes the layers; `progress` is called with the index of each before it starts. Throws
// UsageError, with the layer's path, for a request that the layer cannot meet.
Compression compress(const StoredModel& source, const std::vector<LinearSite>& layers,
                     const Method& method, const DecompositionRequest& request,
                     const std::function<void(std::size_t layer)>& progress);

// The layers whose relative error exceeds `error`, because factors of their type cannot come closer
// to W.
std::vector<const CompressedLayer*> layers_beyond(const Compression& compression, double error);

// The conversion that puts the factors in the place of the layers; keeps references to both
// arguments.
Conversion conversion_of(const StoredModel& source, const Compression& compression);

}  // namespace ty
