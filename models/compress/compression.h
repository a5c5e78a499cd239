// Cutting layers of a trained model into factors: which layers, what becomes of each, and the model
// with the factors in their place.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "models/compress/method.h"
#include "models/huggingface/conversion.h"

namespace ty {

// A layer before and after.
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
  std::int64_t tokens = 0;  // FLOPs are those of a sequence so long
};

// The dense layers that the patterns match. Throws UsageError if a pattern matches none, and for
// layers that the method cannot take.
std::vector<LinearSite> layers_to_compress(const StoredModel& source, const Method& method,
                                           const std::vector<std::string>& patterns);

// Decomposes each of the layers; `progress` is told before each one which it is. Throws UsageError,
// with the layer's path, for a request that it cannot meet.
Compression compress(const StoredModel& source, const std::vector<LinearSite>& layers,
                     const Method& method, const DecompositionRequest& request,
                     const std::function<void(std::size_t layer)>& progress);

// The layers that are further from W than a relative error: where factors of their type cannot be
// nearer.
std::vector<const CompressedLayer*> layers_beyond(const Compression& compression, double error);

// The model with the factors in the layers' place; refers to both arguments.
Conversion conversion_of(const StoredModel& source, const Compression& compression);

}  // namespace ty
