// Images as batches of patches.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/data/batch.h"
#include "core/data/tasks/cifar.h"

namespace ty {

struct ImageOptions {
  std::int64_t patch = 4;  // divides the size
  double mean = 0.5;       // of values in [0, 1], which is taken off
  double deviation = 0.5;  // by which they are divided then
  bool mirror = false;     // every second image at random, left and right exchanged
  std::uint64_t seed = 0;
};

// The patches of an image [channels, size, size] of numbers, in rows from its top left, after a row
// of zeros: [patches + 1, channels patch patch].
std::vector<float> patches_of(const std::vector<float>& image, std::int64_t channels,
                              std::int64_t size, std::int64_t patch);

// Both throw DataError for images that are not square or cannot be cut, or if there are none.
// Training: example i is sample i of the run, each epoch in an order of its own.
std::unique_ptr<Source> training_images(ImageSet images, const ImageOptions& options);
// Evaluation: in order.
std::unique_ptr<Source> evaluation_images(ImageSet images, const ImageOptions& options);

}  // namespace ty
