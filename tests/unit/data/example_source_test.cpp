// Batches of examples: how they are padded, in which order they come, and what is hidden in them.
#include "core/data/tasks/example_source.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "core/data/epoch_order.h"
#include "core/data/framing.h"
#include "core/data/masking.h"
#include "core/data/sampler.h"
#include "core/data/tasks/image_source.h"

namespace ty::test {
namespace {

using Ids = std::vector<std::int32_t>;

// Example i has ids 10 i, 10 i + 1, ..
TokenExample example(std::int32_t number, std::int32_t length) {
  TokenExample one;
  for (std::int32_t t = 0; t < length; ++t) {
    one.ids.push_back(10 * number + t);
    one.types.push_back(t % 2);
  }
  one.label = number;
  one.value = 0.5 * number;
  one.target = {7, 8, 9};
  one.target.resize(static_cast<std::size_t>(1 + number % 3));
  return one;
}

std::vector<TokenExample> examples(std::int32_t count) {
  std::vector<TokenExample> all;
  for (std::int32_t i = 0; i < count; ++i) all.push_back(example(i, 1 + i % 5));
  return all;
}

TEST(EvaluationExamples, ArePaddedToTheirLongest) {
  const auto source = evaluation_examples({example(0, 3), example(1, 1)},
                                          {.types = true, .pad = 99, .multiple = 4, .batch = 2});
  const HostBatch batch = source->batch(0, 2);
  EXPECT_EQ(batch.at(Column::ids).row, (Shape{4}));
  EXPECT_EQ(batch.at(Column::ids).ids, (Ids{0, 1, 2, 99, 10, 99, 99, 99}));
  EXPECT_EQ(batch.at(Column::types).ids, (Ids{0, 1, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(batch.at(Column::lengths).ids, (Ids{3, 1}));
  EXPECT_EQ(batch.at(Column::targets).ids, (Ids{0, 1}));
  EXPECT_TRUE(batch.at(Column::targets).row.empty());
}

TEST(EvaluationExamples, ADecoderReadsItsTargetsOnePlaceLater) {
  const auto source = evaluation_examples(
      {example(0, 1), example(2, 1)},
      {.answer = AnswerKind::target, .pad = 99, .decoder_start = 5, .multiple = 2, .batch = 2});
  const HostBatch batch = source->batch(0, 2);
  EXPECT_EQ(batch.at(Column::targets).ids, (Ids{7, -1, -1, -1, 7, 8, 9, -1}));
  EXPECT_EQ(batch.at(Column::decoder_ids).ids, (Ids{5, 7, 99, 99, 5, 7, 8, 9}));
}

TEST(EvaluationExamples, NumbersAreAColumnOfTheirOwn) {
  const auto source = evaluation_examples({example(3, 1)}, {.answer = AnswerKind::value});
  EXPECT_EQ(source->batch(0, 1).at(Column::values).numbers, std::vector<float>{1.5f});
}

// Whatever part of a step is asked for, its sequences are as long as in the whole.
TEST(TrainingExamples, AllPartsOfAStepHaveOneLength) {
  const auto source = training_examples(examples(23), {.multiple = 1, .batch = 4}, 5);
  for (std::int64_t step = 0; step < 12; ++step) {
    const HostBatch whole = source->batch(4 * step, 4);
    for (std::int64_t part = 0; part < 2; ++part) {
      const HostBatch half = source->batch(4 * step + 2 * part, 2);
      EXPECT_EQ(half.at(Column::ids).row, whole.at(Column::ids).row);
      EXPECT_EQ(half.first_sample, 4 * step + 2 * part);
    }
  }
}

TEST(EpochOrder, VisitsEachExampleOncePerEpoch) {
  std::vector<std::int64_t> lengths(101);
  for (std::size_t i = 0; i < lengths.size(); ++i) lengths[i] = static_cast<std::int64_t>(i % 17);
  const EpochOrder order(lengths, 8, 3);
  std::vector<std::vector<std::int64_t>> epochs;
  for (std::int64_t epoch = 0; epoch < 4; ++epoch) {
    auto& seen = epochs.emplace_back();
    for (std::int64_t i = 0; i < 101; ++i) seen.push_back(order.example_of(epoch * 101 + i));
    EXPECT_EQ(std::set<std::int64_t>(seen.begin(), seen.end()).size(), 101u);
  }
  EXPECT_NE(epochs[0], epochs[1]);
  EXPECT_EQ(order.example_of(50), EpochOrder(lengths, 8, 3).example_of(50));
}

// Steps that lie inside of an epoch have about one length, in later epochs too.
TEST(EpochOrder, AStepsExamplesHaveAboutOneLength) {
  std::vector<std::int64_t> lengths(403);
  for (std::size_t i = 0; i < lengths.size(); ++i) lengths[i] = static_cast<std::int64_t>(i % 40);
  const EpochOrder order(lengths, 8, 3);
  std::int64_t wide = 0, steps = 0;
  for (std::int64_t step = 0; step < 3 * 403 / 8; ++step) {
    std::int64_t least = 40, most = 0;
    for (std::int64_t i = 8 * step; i < 8 * step + 8; ++i) {
      const std::int64_t length = lengths[static_cast<std::size_t>(order.example_of(i))];
      least = std::min(least, length);
      most = std::max(most, length);
    }
    ++steps;
    if (most - least > 4) ++wide;
  }
  EXPECT_LE(wide, steps / 10) << "of " << steps;
}

// Forty tokens of words "1 2", where 2 continues a word; 0 is special.
class Sentences final : public Source {
 public:
  std::int64_t examples() const override { return 1000; }
  HostBatch batch(std::span<const std::int64_t> samples) const override {
    HostBatch batch = {.first_sample = samples[0], .sequences = std::ssize(samples)};
    HostColumn& ids = batch.columns[Column::ids];
    ids.row = {40};
    for (std::size_t s = 0; s < samples.size(); ++s) {
      for (std::int32_t t = 0; t < 40; ++t) ids.ids.push_back(t == 0 ? 0 : 1 + t % 2);
    }
    return batch;
  }
};

const MaskingOptions kMasking = {.mask = 9, .vocab = 8, .special = {true, false, false}, .seed = 4};

TEST(Masking, HidesTheStatedShares) {
  const auto source = masked_source(std::make_unique<Sentences>(), kMasking);
  const HostBatch batch = source->batch(0, 1000);
  double chosen = 0, masked = 0, kept = 0;
  for (std::size_t i = 0; i < batch.at(Column::ids).ids.size(); ++i) {
    const std::int32_t id = batch.at(Column::ids).ids[i], target = batch.at(Column::targets).ids[i];
    if (target < 0) {
      EXPECT_EQ(id, i % 40 == 0 ? 0 : 1 + static_cast<std::int32_t>(i) % 2);
      continue;
    }
    ++chosen;
    masked += id == 9 ? 1 : 0;
    kept += id == target ? 1 : 0;
  }
  EXPECT_NEAR(chosen / 39000, 0.15, 0.01);
  EXPECT_NEAR(masked / chosen, 0.8, 0.02);
  EXPECT_NEAR(kept / chosen, 0.1 + 0.1 / 8, 0.02);
}

TEST(Masking, DependsOnTheSampleAlone) {
  const auto source = masked_source(std::make_unique<Sentences>(), kMasking);
  const HostBatch all = source->batch(10, 4), part = source->batch(12, 1);
  const Ids& ids = all.at(Column::ids).ids;
  EXPECT_EQ(part.at(Column::ids).ids, Ids(ids.begin() + 80, ids.begin() + 120));
  EXPECT_NE(source->batch(13, 1).at(Column::targets).ids, part.at(Column::targets).ids);
}

TEST(Masking, ChoosesWholeWordsIfAsked) {
  MaskingOptions options = kMasking;
  options.continues = {false, true, false};  // 2 and the 1 behind it are a word
  const auto source = masked_source(std::make_unique<Sentences>(), options);
  const Ids targets = source->batch(0, 50).at(Column::targets).ids;
  for (std::size_t i = 0; i + 1 < targets.size(); ++i) {
    // Words begin at odd tokens and go on at the next one.
    const bool begins = i % 2 == 1 && i % 40 != 39;
    if (begins) {
      EXPECT_EQ(targets[i] >= 0, targets[i + 1] >= 0);
    }
  }
}

TEST(Images, ArePatchesBehindARowOfZeros) {
  std::vector<float> image(2 * 4 * 4);
  std::iota(image.begin(), image.end(), 0.0f);
  const std::vector<float> patches = patches_of(image, 2, 4, 2);
  EXPECT_EQ(std::vector<float>(patches.begin(), patches.begin() + 8), std::vector<float>(8, 0.0f));
  // The second patch: columns 2 and 3 of rows 0 and 1, of both channels.
  EXPECT_EQ(std::vector<float>(patches.begin() + 16, patches.begin() + 24),
            (std::vector<float>{2, 3, 6, 7, 18, 19, 22, 23}));
}

TEST(Images, MirroredOnesHaveTheSameNumbers) {
  ImageSet images = {
      .channels = 1, .height = 2, .width = 2, .pixels = {0, 255, 51, 102}, .labels = {3}};
  const auto plain = evaluation_images(images, {.patch = 1});
  const auto source = training_images(images, {.patch = 1, .mirror = true, .seed = 2});
  const std::vector<float> as_is = {0, -1, 1, -0.6f, -0.2f}, mirrored = {0, 1, -1, -0.2f, -0.6f};
  EXPECT_EQ(plain->batch(0, 1).at(Column::targets).ids, Ids{3});
  int turned = 0;
  for (std::int64_t i = 0; i < 40; ++i) {
    const std::vector<float> numbers = source->batch(i, 1).at(Column::patches).numbers;
    bool is_plain = true, is_turned = true;
    for (std::size_t k = 0; k < 5; ++k) {
      is_plain &= std::abs(numbers[k] - as_is[k]) < 1e-5f;
      is_turned &= std::abs(numbers[k] - mirrored[k]) < 1e-5f;
    }
    EXPECT_TRUE(is_plain || is_turned);
    turned += is_turned ? 1 : 0;
  }
  EXPECT_GT(turned, 8);
  EXPECT_LT(turned, 32);
}

TEST(FramedWindows, AreTextsBetweenSpecialTokens) {
  const TokenFile text({10, 11, 12, 13, 14, 15}, {}, "text");
  const auto source =
      framed_source(evaluation_windows(text, 3), {.before = {1}, .after = {2, 3}, .pad = 9});
  EXPECT_EQ(source->examples(), 2);
  const HostBatch batch = source->batch(0, 2);
  EXPECT_EQ(batch.at(Column::ids).row, (Shape{6}));
  EXPECT_EQ(batch.at(Column::ids).ids, (Ids{1, 10, 11, 12, 2, 3, 1, 13, 14, 2, 3, 9}));
  EXPECT_EQ(batch.at(Column::lengths).ids, (Ids{6, 5}));
}

TEST(FramedWindows, HaveTheTemplateOfTheTokenizer) {
  const std::string_view text = "some words";
  const auto pieces = make_tokenizer({TokenizerKind::wordpiece, 40}, std::span(&text, 1));
  const Frame frame = frame_of(*pieces);
  EXPECT_EQ(frame.before, (Ids{*pieces->special().cls}));
  EXPECT_EQ(frame.after, (Ids{*pieces->special().sep}));
  EXPECT_EQ(frame_of(*make_tokenizer({TokenizerKind::bytes}, {})).size(), 0);
}

}  // namespace
}  // namespace ty::test
