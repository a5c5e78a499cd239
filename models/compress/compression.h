// Cutting maps of a trained model into factors: which maps, what becomes of each, and the model
// with the factors in their place.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "models/compress/method.h"
#include "models/huggingface/conversion.h"

namespace ty {

// A map before and after.
struct CompressedMap {
  LinearSite before;
  Decomposition after;        // rounded to
  DType dtype = DType::f32;   // the type in which the factors are stored
  double relative_error = 0;  // |W - W~| / |W| of what is stored

  LinearSite site() const;  // after
};

struct Compression {
  std::vector<CompressedMap> maps;
  std::int64_t parameters_before = 0, parameters_after = 0;  // of the whole model
  std::int64_t tokens = 0;  // FLOPs are those of a sequence so long
};

// The dense maps that the patterns match. Throws UsageError if a pattern matches none, and for maps
// that the method cannot take.
std::vector<LinearSite> maps_to_compress(const StoredModel& source, const Method& method,
                                         const std::vector<std::string>& patterns);

// Decomposes each of the maps; `progress` is told before each one which it is. Throws UsageError,
// with the map's path, for a request that it cannot meet.
Compression compress(const StoredModel& source, const std::vector<LinearSite>& maps,
                     const Method& method, const DecompositionRequest& request,
                     const std::function<void(std::size_t map)>& progress);

// The maps that are further from W than a relative error: where factors of their type cannot be
// nearer.
std::vector<const CompressedMap*> maps_beyond(const Compression& compression, double error);

// The model with the factors in the maps' place; refers to both arguments.
Conversion conversion_of(const StoredModel& source, const Compression& compression);

}  // namespace ty
