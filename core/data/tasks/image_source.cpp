#include "core/data/tasks/image_source.h"

#include <utility>

#include "core/base/error.h"
#include "core/base/random.h"

namespace ty {

namespace {

class ImageSource final : public Source {
 public:
  ImageSource(ImageSet images, const ImageOptions& options, bool trains)
      : images_(std::move(images)), options_(options), trains_(trains) {
    if (images_.labels.empty()) throw DataError("there are no images; want at least one");
    if (images_.height != images_.width || images_.height % options_.patch != 0) {
      throw DataError("images of {} x {} cannot be cut into patches of {} x {}", images_.height,
                      images_.width, options_.patch, options_.patch);
    }
  }

  std::int64_t examples() const override { return std::ssize(images_.labels); }

  HostBatch batch(std::span<const std::int64_t> samples) const override {
    const std::int64_t side = images_.height / options_.patch;
    HostBatch batch = {.first_sample = samples.empty() ? 0 : samples[0],
                       .sequences = std::ssize(samples)};
    HostColumn& patches = batch.columns[Column::patches];
    HostColumn& targets = batch.columns[Column::targets];
    patches.row = {side * side + 1, images_.channels * options_.patch * options_.patch};
    for (const std::int64_t sample : samples) {
      const std::int64_t image = image_of(sample);
      const std::vector<float> cut = patches_of(numbers(image, is_mirrored(sample)),
                                                images_.channels, images_.height, options_.patch);
      patches.numbers.insert(patches.numbers.end(), cut.begin(), cut.end());
      targets.ids.push_back(images_.labels[static_cast<std::size_t>(image)]);
    }
    return batch;
  }

 private:
  std::int64_t image_of(std::int64_t sample) const {
    if (!trains_) return sample;
    const RandomStream stream(options_.seed, site_id("data.order"),
                              static_cast<std::uint64_t>(sample / examples()));
    const Permutation order(static_cast<std::uint64_t>(examples()), stream);
    return static_cast<std::int64_t>(order(static_cast<std::uint64_t>(sample % examples())));
  }
  bool is_mirrored(std::int64_t sample) const {
    if (!trains_ || !options_.mirror) return false;
    const RandomStream stream(options_.seed, site_id("data.mirror"));
    return stream.word(static_cast<std::uint64_t>(sample), 0) % 2 == 1;
  }
  std::vector<float> numbers(std::int64_t image, bool mirrored) const {
    const std::int64_t size = images_.height, rows = images_.channels * size;
    const std::uint8_t* pixels = images_.pixels.data() + image * rows * size;
    std::vector<float> values;
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t x = 0; x < size; ++x) {
        const double value = pixels[r * size + (mirrored ? size - 1 - x : x)] / 255.0;
        values.push_back(static_cast<float>((value - options_.mean) / options_.deviation));
      }
    }
    return values;
  }

  ImageSet images_;
  ImageOptions options_;
  bool trains_;
};

}  // namespace

std::vector<float> patches_of(const std::vector<float>& image, std::int64_t channels,
                              std::int64_t size, std::int64_t patch) {
  const std::int64_t side = size / patch, numbers = channels * patch * patch;
  std::vector<float> cut(static_cast<std::size_t>(numbers), 0.0f);
  for (std::int64_t p = 0; p < side * side; ++p) {
    const std::int64_t top = p / side * patch, left = p % side * patch;
    for (std::int64_t i = 0; i < numbers; ++i) {
      const std::int64_t c = i / (patch * patch), y = i / patch % patch, x = i % patch;
      cut.push_back(image[static_cast<std::size_t>((c * size + top + y) * size + left + x)]);
    }
  }
  return cut;
}

std::unique_ptr<Source> training_images(ImageSet images, const ImageOptions& options) {
  return std::make_unique<ImageSource>(std::move(images), options, true);
}

std::unique_ptr<Source> evaluation_images(ImageSet images, const ImageOptions& options) {
  return std::make_unique<ImageSource>(std::move(images), options, false);
}

}  // namespace ty
