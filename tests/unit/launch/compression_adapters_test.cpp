// Layers that are cut beside adapters that stay, and adapters that are folded in.
#include "models/linear/adapters.h"
#include "models/linear/svd/svd.h"
#include "models/statistics/statistics_file.h"
#include "tests/support/messages.h"
#include "tests/unit/launch/compressed_model.h"

namespace ty::test {
namespace {

// A model with an adapter beside a layer, another one whose adapter has begun at zero and learned
// nothing yet, and statistics of what adapters say.
class CompressedBesideAdapters : public CompressedModel {
 protected:
  static constexpr const char* kUp = "blocks.0.mlp.up";
  static constexpr const char* kFresh = "blocks.1.mlp.up";
  static constexpr std::int64_t kRank = 3;

  StoredModel adapted_model() {
    StoredModel drawn(random_model(true, DType::f32,
                                   {{"blocks.*.mlp.up", LoraSpec{{.rank = kRank, .alpha = 6}}}}));
    Conversion conversion = {.spec = drawn.spec()};
    conversion.made[std::string(kFresh) + ".lora.b"] = {
        DType::f32, [] { return std::vector<double>(kRank * 96, 0.0); }};
    write_converted(drawn, conversion, temp_ / "adapted");
    return StoredModel(temp_ / "adapted");
  }
  StatisticsFile statistics_of(const StoredModel& model) {
    const Path file = temp_ / "statistics.safetensors";
    std::vector<LinearSite> sites;
    for (const LinearSite& site : model.linear_sites()) {
      if (site.path.ends_with(".mlp.up")) sites.push_back(site);
    }
    write_statistics(file, sites, {.lora = true}, {}, [](const std::string&, StatisticKind) {
      LayerStatistics all;
      for (int i = 0; i < 24; ++i) all.lora_rows.push_back(std::exp(0.3 * i));
      all.lora_columns.assign(96, 1.0);
      return all;
    });
    return StatisticsFile(file);
  }
  static LinearSite site_of(const StoredModel& model, std::string_view path) {
    for (const LinearSite& site : model.linear_sites()) {
      if (site.path == path) return site;
    }
    throw InternalError("no layer {}", path);
  }
  static std::vector<double> weight(const StoredModel& model, std::string_view path) {
    return model.dense_weight(site_of(model, path));
  }
};

TEST_F(CompressedBesideAdapters, TheBaseIsCutAndTheAdapterStaysAsItIs) {
  const StoredModel source = adapted_model();
  const StatisticsFile statistics = statistics_of(source);
  const DecompositionRequest request = {.budget = RankBudget{5}};
  const Compression kept = compress_to(temp_ / "kept", source, "lora_svd", request, "*.mlp.up",
                                       {.statistics = &statistics, .keeps_adapters = true});
  compress_to(temp_ / "merged", source, "lora_svd", request, "*.mlp.up",
              {.statistics = &statistics});
  const StoredModel beside(temp_ / "kept"), merged(temp_ / "merged");

  const LinearSite site = site_of(beside, kUp);
  EXPECT_EQ(site.spec, LinearSpec(LoraSpec{{.rank = kRank, .alpha = 6}, SvdSpec{.rank = 5}}));
  for (const char* name : {"blocks.0.mlp.up.lora.a", "blocks.0.mlp.up.lora.b"}) {
    const Shape shape = source.parameters().find(name)->shape;
    EXPECT_EQ(beside.values(name, shape), source.values(name, shape)) << name;
  }
  // W and W~ differ by what the base lost, in which its error is told.
  const std::vector<double> base = source.values("blocks.0.mlp.up.weight", {24, 96});
  std::vector<double> cut = weight(beside, kUp);
  const std::vector<double> whole = weight(source, kUp);
  for (std::size_t i = 0; i < cut.size(); ++i) cut[i] += base[i] - whole[i];
  EXPECT_NEAR(relative_distance(base, cut), kept.layers[0].relative_error, 1e-6);
  EXPECT_GT(kept.layers[0].relative_error, 0.1);
  // Before the adapter has learned, the layer is the weighted SVD's.
  EXPECT_LT(relative_distance(weight(merged, kFresh), weight(beside, kFresh)), 1e-6);
  EXPECT_GT(relative_distance(weight(merged, kUp), weight(beside, kUp)), 0.1);
}

TEST_F(CompressedBesideAdapters, FoldingOfBothRanksLosesNothing) {
  const StoredModel source = adapted_model();
  compress_to(temp_ / "kept", source, "svd", {.budget = RankBudget{5}}, "*.mlp.up",
              {.keeps_adapters = true});
  const StoredModel beside(temp_ / "kept");
  const StatisticsFile statistics = statistics_of(beside);
  const auto fold = [&](const char* name, std::int64_t rank) {
    const DecompositionRequest request = {.budget = RankBudget{rank}};
    return compress_to(temp_ / name, beside, "lora_svd", request, "*.mlp.up",
                       {.statistics = &statistics})
        .layers[0];
  };
  const CompressedLayer exact = fold("folded", 5 + kRank), cut = fold("cut", 5);
  EXPECT_EQ(exact.after.spec, LinearSpec(SvdSpec{.rank = 5 + kRank}));
  EXPECT_LT(exact.relative_error, 1e-6);
  EXPECT_GT(cut.relative_error, 0.05);
  EXPECT_LT(largest_difference(answer(temp_ / "folded").logits, answer(temp_ / "kept").logits),
            1e-4);
}

TEST_F(CompressedBesideAdapters, WhatIsNotLinearStaysBehindTheCutAndIsNeverAddedIn) {
  const StoredModel source(
      random_model(true, DType::f32, {{"blocks.*.mlp.down", BottleneckSpec{{.width = 5}}}}));
  const auto layers = layers_to_compress(source, method("svd"), {"*.mlp.down"});
  EXPECT_EQ(
      message_of<UsageError>(
          [&] { compress(source, layers, method("svd"), {.budget = RankBudget{3}}); }),
      "blocks.0.mlp.down: dense + bottleneck of 5: no one matrix stands for it that svd could "
      "cut; leave it out, or cut what is adapted with --keep-adapters");
  EXPECT_EQ(message_of<DataError>([&] { to_dense(source); }),
            source.directory().string() +
                ": blocks.0.mlp.down: dense + bottleneck of 5: no one matrix stands for it that "
                "could be written or added to");
  compress_to(temp_ / "full", source, "svd", {.budget = RankBudget{24}}, "*.mlp.down",
              {.keeps_adapters = true});
  EXPECT_LT(largest_difference(answer(temp_ / "full").logits, answer(source.directory()).logits),
            1e-4);
}

}  // namespace
}  // namespace ty::test
