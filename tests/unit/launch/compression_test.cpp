// From a model directory to a compressed one and back, with numbers that the layers themselves
// give.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "launch/report/compression_report.h"
#include "models/huggingface/model_directory.h"
#include "models/huggingface/model_writer.h"
#include "models/linear/adapters.h"
#include "models/linear/svd/svd.h"
#include "models/linear/ttm/ttm.h"
#include "tests/support/messages.h"
#include "tests/unit/launch/compressed_model.h"

namespace ty::test {
namespace {

TEST_F(CompressedModel, OfFullRankGivesTheSameLogits) {
  for (bool tied : {true, false}) {
    const StoredModel source(random_model(tied));
    const Answer before = answer(source.directory());
    compress_to(temp_ / "svd", source, "svd", {.budget = RankBudget{1000}}, "*");
    EXPECT_LT(largest_difference(answer(temp_ / "svd").logits, before.logits), 1e-4);
    // Every layer of the blocks, fused projections too; modes are chosen.
    compress_to(temp_ / "ttm", source, "ttm", {.budget = ErrorBudget{0}}, "blocks.*");
    EXPECT_LT(largest_difference(answer(temp_ / "ttm").logits, before.logits), 1e-4);
    EXPECT_EQ(StoredModel(temp_ / "ttm").spec().linear.size(), 8u);
    // The table alone, with rows and columns that no id has.
    compress_to(temp_ / "rows", source, "ttm",
                {.budget = ErrorBudget{0}, .in = {4, 8}, .out = {5, 5}}, "embeddings.token");
    EXPECT_LT(largest_difference(answer(temp_ / "rows").logits, before.logits), 1e-4);
    compress_to(temp_ / "trains", source, "row_trains", {.budget = ErrorBudget{0}},
                "embeddings.token");
    EXPECT_LT(largest_difference(answer(temp_ / "trains").logits, before.logits), 1e-4);
    for (const char* name : {"model", "svd", "ttm", "rows", "trains"}) {
      std::filesystem::remove_all(temp_ / name);
    }
  }
}

TEST_F(CompressedModel, MadeDenseAgainIsTheSameModel) {
  const StoredModel source(random_model(true));
  compress_to(temp_ / "mlp", source, "ttm", {.budget = RankBudget{4}}, "blocks.*.mlp.*");
  // A second cut goes on from the first; what is factorised stays.
  const StoredModel half(temp_ / "mlp");
  compress_to(temp_ / "all", half, "svd", {.budget = ShareBudget{0.5}}, "*.attn.*");
  const StoredModel both(temp_ / "all");
  compress_to(temp_ / "table", both, "svd", {.budget = RankBudget{6}}, "embeddings.token");
  const StoredModel compressed(temp_ / "table");
  EXPECT_EQ(compressed.spec().linear.size(), 9u);
  write_converted(compressed, to_dense(compressed), temp_ / "dense");

  const StoredModel dense(temp_ / "dense");
  EXPECT_TRUE(dense.spec().linear.empty());
  EXPECT_EQ(dense.parameters().count(), source.parameters().count());
  const Answer factors = answer(temp_ / "table"), matrices = answer(temp_ / "dense");
  EXPECT_NEAR(factors.loss, matrices.loss, 1e-5);
  EXPECT_LT(largest_difference(factors.logits, matrices.logits), 1e-4);
  EXPECT_GT(std::abs(factors.loss - answer(source.directory()).loss), 1e-3);  // it was cut indeed
}

TEST_F(CompressedModel, ReportsTheErrorOfWhatIsStoredInItsType) {
  for (const DType dtype : {DType::f32, DType::bf16, DType::f16}) {
    const StoredModel source(random_model(true, dtype));
    for (const Budget& budget : {Budget{ErrorBudget{0.02}}, Budget{RankBudget{1000}}}) {
      // The modes of mlp.up are larger than the layer.
      const DecompositionRequest request = {.budget = budget, .in = {5, 5}, .out = {10, 10}};
      const Compression compression =
          compress_to(temp_ / "out", source, "ttm", request, "blocks.*.mlp.up");
      const StoredModel written(temp_ / "out");
      for (std::size_t i = 0; i < compression.layers.size(); ++i) {
        const LinearSite& before = compression.layers[i].before;
        LinearSite after = before;
        after.spec = compression.layers[i].after.spec;
        EXPECT_NEAR(compression.layers[i].relative_error,
                    relative_distance(source.dense_weight(before), written.dense_weight(after)),
                    1e-9);
        if (std::holds_alternative<ErrorBudget>(budget)) {
          EXPECT_LE(compression.layers[i].relative_error, 0.02);
        } else {
          EXPECT_GT(compression.layers[i].relative_error, dtype == DType::bf16 ? 1e-3 : 1e-9);
        }
      }
      std::filesystem::remove_all(temp_ / "out");
    }
    std::filesystem::remove_all(source.directory());
  }
}

TEST_F(CompressedModel, SaysWhichMapsCannotBeAsNearAsAsked) {
  const StoredModel source(random_model(true, DType::bf16));
  const auto beyond = [&](double eps) {
    const auto layers = layers_to_compress(source, method("svd"), {"blocks.*.mlp.*"});
    const Compression compression =
        compress(source, layers, method("svd"), {.budget = ErrorBudget{eps}});
    return layers_beyond(compression, eps).size();
  };
  EXPECT_EQ(beyond(1e-4), 4u);  // bf16 factors are 2e-3 away whatever their rank
  EXPECT_EQ(beyond(0.01), 0u);
  EXPECT_EQ(beyond(0.3), 0u);
}

TEST_F(CompressedModel, NamesWhatIsNotFinite) {
  random_model(true, DType::f16);
  const Path file = temp_ / "model" / "model.safetensors";
  const std::string name = "transformer.h.1.mlp.c_fc.weight";
  // The first entry of the first `rows` rows of a [24, 96] matrix.
  const auto set_entries = [&](std::uint16_t bits, std::streamoff rows) {
    const auto begin = static_cast<std::streamoff>(SafetensorsFile(file).tensor(name).begin);
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    for (std::streamoff row = 0; row < rows; ++row) {
      stream.seekp(begin + row * 96 * 2);
      stream.write(reinterpret_cast<const char*>(&bits), sizeof bits);
    }
  };
  const auto refusal = [&](const char* pattern) {
    const StoredModel source(temp_ / "model");
    return message_of<NonFiniteError>(
        [&] { compress_to(temp_ / "out", source, "ttm", {.budget = ErrorBudget{0}}, pattern); });
  };
  set_entries(0x7e00, 1);
  const std::string nan = file.string() + ": " + name + ": holds numbers that are not finite in ";
  EXPECT_TRUE(refusal("blocks.1.mlp.up").starts_with(nan));
  EXPECT_TRUE(refusal("blocks.0.mlp.up").starts_with(nan)) << "it is copied";
  const StoredModel source(temp_ / "model");
  EXPECT_TRUE(
      message_of<NonFiniteError>([&] { write_copy(source, temp_ / "out"); }).starts_with(nan));
  EXPECT_TRUE(message_of<NonFiniteError>([&] { answer(temp_ / "model"); }).starts_with(nan));
  EXPECT_FALSE(std::filesystem::exists(temp_ / "out"));
  set_entries(0x7bff, 24);  // 65504, the largest: the last core holds their root of squares
  EXPECT_TRUE(contains(refusal("blocks.1.mlp.up"), "blocks.1.mlp.up: core"));
  EXPECT_TRUE(contains(refusal("blocks.1.mlp.up"), " is more than fp16 can hold"));
}

TEST_F(CompressedModel, ReportsWhatItsFilesHold) {
  const StoredModel source(random_model(true));
  const Compression compression =
      compress_to(temp_ / "out", source, "svd", {.budget = ShareBudget{0.25}}, "*");
  const StoredModel written(temp_ / "out");
  EXPECT_EQ(compression.parameters_before, source.parameters().count());
  EXPECT_EQ(compression.parameters_after, written.parameters().count());
  const nlohmann::json json = to_json(compression);
  ASSERT_EQ(json["maps"].size(), 9u);
  EXPECT_EQ(json["maps"][0]["path"], "embeddings.token");
  EXPECT_EQ(json["maps"][0]["spec"], (nlohmann::json{{"kind", "svd"}, {"rank", 3}}));
  EXPECT_EQ(json["maps"][0]["parameters_after"], 3 * (24 + 31));
  EXPECT_EQ(json["ratio"].get<double>(), static_cast<double>(written.parameters().count()) /
                                             static_cast<double>(source.parameters().count()));
  for (std::size_t i = 0; i < compression.layers.size(); ++i) {
    const LinearSite& site = written.linear_sites()[i];
    const std::vector<double> before = source.dense_weight(compression.layers[i].before);
    const std::vector<double> after = written.dense_weight(site);
    EXPECT_NEAR(compression.layers[i].relative_error, relative_distance(before, after), 1e-9)
        << site.path;
    EXPECT_LE(num_weights(site.spec, site.shape), 0.25 * static_cast<double>(before.size()));
  }
  EXPECT_TRUE(contains(to_text(compression), "9 layers"));
}

TEST_F(CompressedModel, KeepsTheTypeOfTheNumbers) {
  const StoredModel source(random_model(true, DType::bf16));
  compress_to(temp_ / "out", source, "svd", {.budget = RankBudget{1000}}, "blocks.*");
  const StoredModel written(temp_ / "out");
  for (const Parameter& parameter : written.parameters().all()) {
    EXPECT_EQ(written.dtype(parameter.name), DType::bf16) << parameter.name;
  }
  write_converted(written, to_dense(written), temp_ / "dense");
  EXPECT_EQ(StoredModel(temp_ / "dense").dtype("blocks.0.mlp.up.weight"), DType::bf16);
}

TEST_F(CompressedModel, RefusesMapsThatItCannotCut) {
  const StoredModel source(random_model(true));
  EXPECT_TRUE(contains(message_of<UsageError>([&] {
                         layers_to_compress(source, method("svd"), {"*", "*.mpl.*"});
                       }),
                       "--match: \"*.mpl.*\" matches no linear layer of "));
  EXPECT_EQ(message_of<UsageError>([&] { layers_to_compress(source, method("cp"), {"*"}); }),
            "embeddings.token: a token table, which cannot be cut by cp; want --method svd or ttm "
            "or row_trains for it");
  const auto layers = layers_to_compress(source, method("ttm"), {"blocks.*.mlp.*"});
  EXPECT_TRUE(contains(message_of<UsageError>([&] {
                         compress(
                             source, layers, method("ttm"),
                             {.budget = RankBudget{2}, .in = {4, 6}, .out = {8, 12}},
                             {.progress = [](std::size_t) { FAIL() << "before all is checked"; }});
                       }),
                       "blocks.0.mlp.down [96, 24]: ttm: in modes [4, 6] multiply to 24"));
}

// GPT-2 medium with both MLP matrices of its blocks factorised: published sizes.
TEST(CompressedSizes, OfGpt2Medium) {
  ModelSpec config = {.layers = 24, .width = 1024, .heads = 16};
  EXPECT_EQ(count_parameters(config), 354'823'168);
  TtmSpec up;
  up.in = {16, 16, 4};
  up.out = {16, 16, 16};
  up.ranks = {72, 72};
  TtmSpec down = up;
  std::swap(down.in, down.out);
  config.linear = {{"blocks.*.mlp.up", up}, {"blocks.*.mlp.down", down}};
  EXPECT_EQ(count_parameters(config), 218'303'488);
  config.linear.clear();
  for (int block = 0; block < 17; ++block) {
    config.linear.push_back({fmt::format("blocks.{}.mlp.*", block), SvdSpec{.rank = 50}});
  }
  EXPECT_EQ(count_parameters(config), 220'920'832);
}

// Every directory of the public library that we read is written in one spelling with equal tensors.
TEST(Import, KeepsEveryNumberOfPublicModels) {
  const auto backend = make_cpu_backend();
  for (const char* name : {"tied_gelu_new", "untied_gelu", "old_relu", "sharded"}) {
    SCOPED_TRACE(name);
    const TempDir temp;
    const StoredModel source(Path(TY_GOLDEN_DIR) / "gpt2" / name / "model");
    write_converted(source, {.spec = source.spec()}, temp / "out");
    const StoredModel written(temp / "out");
    EXPECT_TRUE(std::filesystem::exists(temp / "out" / "model.safetensors"));
    for (const Parameter& parameter : source.parameters().all()) {
      EXPECT_EQ(source.values(parameter.name, parameter.shape),
                written.values(parameter.name, parameter.shape))
          << parameter.name;
    }
    write_copy(source, temp / "copy");
    for (const Path& file : source.files()) {
      EXPECT_EQ(read_text_file(file, 1 << 24),
                read_text_file(temp / "copy" / file.filename().string(), 1 << 24));
    }
  }
}

}  // namespace
}  // namespace ty::test
