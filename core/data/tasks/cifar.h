// CIFAR-10 and CIFAR-100 (A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images,
// 2009) in their binary version.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace ty {

struct ImageSet {
  std::int64_t channels = 0, height = 0, width = 0;
  std::vector<std::uint8_t> pixels;  // [images, channels, height, width]
  std::vector<std::int32_t> labels;  // [images]
};

// Which labels are read: the one of CIFAR-10 (10 classes), or one of the two of CIFAR-100 (100 fine
// classes, 20 coarse ones).
enum class CifarLabels : std::uint8_t { ten, hundred_fine, hundred_coarse };

// The images of some files (data_batch_1.bin, .. or train.bin) in this order. Throws DataError for
// a file of another size than whole records, or with a label that is no class.
ImageSet read_cifar(std::span<const std::filesystem::path> files, CifarLabels labels);

}  // namespace ty
