#include "core/data/tasks/cifar.h"

#include <gtest/gtest.h>

#include <fstream>

#include "core/base/error.h"
#include "tests/support/messages.h"
#include "tests/support/temp_dir.h"

namespace ty::test {
namespace {

constexpr std::size_t kPixels = 3072;

// An image whose bytes are `start`, `start` + 1, ..
std::string record(const std::string& labels, int start) {
  std::string bytes = labels;
  for (std::size_t i = 0; i < kPixels; ++i) {
    bytes += static_cast<char>(static_cast<std::size_t>(start) + i);
  }
  return bytes;
}

class CifarFiles : public testing::Test {
 protected:
  TempDir temp_;
  std::filesystem::path write(const std::string& name, const std::string& bytes) {
    std::ofstream(temp_ / name, std::ios::binary) << bytes;
    return temp_ / name;
  }
  std::string refusal(const std::string& bytes, CifarLabels labels) {
    const std::vector files{write("a.bin", bytes)};
    return message_of<DataError>([&] { read_cifar(files, labels); });
  }
};

TEST_F(CifarFiles, AreImagesInTheOrderOfTheFiles) {
  const std::vector files{write("1.bin", record("\x03", 0) + record("\x09", 5)),
                          write("2.bin", record(std::string(1, '\0'), 200))};
  const ImageSet set = read_cifar(files, CifarLabels::ten);
  EXPECT_EQ(set.labels, (std::vector<std::int32_t>{3, 9, 0}));
  EXPECT_EQ(set.channels * set.height * set.width, 3072);
  EXPECT_EQ(set.channels, 3);
  ASSERT_EQ(set.pixels.size(), 3 * kPixels);
  EXPECT_EQ(set.pixels[0], 0);
  EXPECT_EQ(set.pixels[kPixels], 5);
  EXPECT_EQ(set.pixels[2 * kPixels], 200);
  EXPECT_EQ(set.pixels[2 * kPixels + 60], 4);
}

TEST_F(CifarFiles, OfAHundredClassesHaveTwoLabels) {
  const std::vector files{write("train.bin", record("\x12\x63", 7) + record("\x01\x02", 8))};
  const ImageSet fine = read_cifar(files, CifarLabels::hundred_fine);
  EXPECT_EQ(fine.labels, (std::vector<std::int32_t>{99, 2}));
  EXPECT_EQ(read_cifar(files, CifarLabels::hundred_coarse).labels,
            (std::vector<std::int32_t>{18, 1}));
  EXPECT_EQ(fine.pixels[0], 7);
  EXPECT_EQ(fine.pixels[kPixels], 8);
}

TEST_F(CifarFiles, AreRefusedIfTheyHoldSomethingElse) {
  EXPECT_TRUE(contains(refusal(record("\x03", 0) + "x", CifarLabels::ten),
                       "a.bin: 3074 bytes; want a multiple of the 3073 of an image of CIFAR-10"));
  EXPECT_TRUE(contains(refusal("", CifarLabels::ten), "a.bin: 0 bytes"));
  EXPECT_TRUE(contains(refusal(record("\x03", 0) + record("\x0a", 0), CifarLabels::ten),
                       "a.bin: image 1 (byte 3073): label 10; want 0 to 9 of CIFAR-10"));
  for (const CifarLabels labels : {CifarLabels::hundred_fine, CifarLabels::hundred_coarse}) {
    EXPECT_TRUE(contains(refusal(record("\x14\x01", 0), labels), "label 20; want 0 to 19"));
    EXPECT_TRUE(contains(refusal(record("\x01\x64", 0), labels), "label 100; want 0 to 99"));
  }
}

}  // namespace
}  // namespace ty::test
