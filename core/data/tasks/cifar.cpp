#include "core/data/tasks/cifar.h"

#include "core/base/error.h"
#include "core/io/file.h"

namespace ty {

namespace {

constexpr std::size_t kChannels = 3, kSide = 32, kPixels = kChannels * kSide * kSide;

// A record: its labels, a byte each, and its pixels, red, green and blue plane.
struct Records {
  const char* name;
  std::size_t label_bytes;
  struct Label {
    std::size_t at;
    int num_classes;
  };
  std::vector<Label> labels;  // the one that is read first; all are checked
  std::size_t size() const { return label_bytes + kPixels; }
};

Records records_with(CifarLabels labels) {
  switch (labels) {
    case CifarLabels::ten:
      return {"CIFAR-10", 1, {{0, 10}}};
    case CifarLabels::hundred_fine:
      return {"CIFAR-100", 2, {{1, 100}, {0, 20}}};
    case CifarLabels::hundred_coarse:
      return {"CIFAR-100", 2, {{0, 20}, {1, 100}}};
  }
  throw InternalError("no such labels of CIFAR: {}", static_cast<int>(labels));
}

void append(ImageSet& set, const Path& path, const Records& records) {
  const MappedFile file(path);
  const std::span<const std::byte> bytes = file.bytes();
  if (bytes.empty() || bytes.size() % records.size() != 0) {
    throw DataError("{}: {} bytes; want a multiple of the {} of an image of {}", path.string(),
                    bytes.size(), records.size(), records.name);
  }
  for (std::size_t start = 0; start < bytes.size(); start += records.size()) {
    for (const Records::Label& label : records.labels) {
      const int value = std::to_integer<int>(bytes[start + label.at]);
      if (value < label.num_classes) continue;
      throw DataError("{}: image {} (byte {}): label {}; want 0 to {} of {}", path.string(),
                      start / records.size(), start + label.at, value, label.num_classes - 1,
                      records.name);
    }
    set.labels.push_back(std::to_integer<std::int32_t>(bytes[start + records.labels[0].at]));
    const auto* pixels = reinterpret_cast<const std::uint8_t*>(&bytes[start + records.label_bytes]);
    set.pixels.insert(set.pixels.end(), pixels, pixels + kPixels);
  }
}

}  // namespace

ImageSet read_cifar(std::span<const std::filesystem::path> files, CifarLabels labels) {
  ImageSet set{.channels = kChannels, .height = kSide, .width = kSide, .pixels = {}, .labels = {}};
  for (const Path& file : files) append(set, file, records_with(labels));
  return set;
}

}  // namespace ty
