// Sums of statistics against plain loops, and the file that holds them.
#include "tests/support/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/base/error.h"
#include "models/linear/dense/dense.h"
#include "models/linear/lora/lora.h"
#include "models/statistics/statistics_file.h"
#include "models/statistics/sums.h"
#include "tests/support/messages.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tensors.h"

namespace ty::test {
namespace {

Matrix matrix_of(const Tensor& x) { return Matrix(x.dim(0), x.dim(1), doubles(x)); }

Matrix rows_of(const Matrix& a, const Range& rows) {
  Matrix part(rows.count, a.cols);
  for (std::int64_t i = 0; i < part.rows; ++i) {
    for (std::int64_t j = 0; j < part.cols; ++j) part(i, j) = a(rows.first + i, j);
  }
  return part;
}

TEST(StatisticsSums, AreThoseOfPlainLoops) {
  for (const DType dtype : {DType::f64, DType::f32}) {
    const auto backend = make_cpu_backend();
    // More rows of a weight than a tile has, and a width that tiles do not divide.
    const std::int64_t n = 12, in = 701, out = 1031;
    const Tensor x = random_tensor(*backend, {n, in}, "x", dtype);
    const Tensor dy = random_tensor(*backend, {n, out}, "dy", dtype);
    const std::vector<GradientTerm> terms = {{{0, 5}, 0.5}, {{5, 1}, 2.0}, {{6, 6}, 1.0}};
    const Tensor fisher = Tensor::full(*backend, {in, out}, DType::f64, 1.0);
    add_squared_gradients(*backend, fisher.view(), x.view(), dy.view(), terms);
    Matrix expected(in, out);
    for (const GradientTerm& term : terms) {
      const Matrix gradient =
          multiply_transposed(rows_of(matrix_of(x), term.rows), rows_of(matrix_of(dy), term.rows));
      for (std::size_t i = 0; i < expected.data.size(); ++i) {
        expected.data[i] += term.scale * term.scale * gradient.data[i] * gradient.data[i];
      }
    }
    for (double& value : expected.data) value += 1.0;
    const double slack = dtype == DType::f64 ? 1e-12 : 1e-5;
    EXPECT_LT(distance(matrix_of(fisher), expected), slack * frobenius_norm(expected));

    const Tensor gram = Tensor::full(*backend, {in, in}, DType::f64, 0.0);
    add_upper_gram(*backend, gram.view(), x.view());
    add_upper_gram(*backend, gram.view(), x.view());
    const Matrix once = multiply_transposed(matrix_of(x), matrix_of(x)), got = matrix_of(gram);
    double worst = 0;
    for (std::int64_t i = 0; i < in; ++i) {
      for (std::int64_t j = i; j < in; ++j) {
        worst = std::max(worst, std::abs(got(i, j) - 2 * once(i, j)));
      }
    }
    EXPECT_LT(worst, slack * frobenius_norm(once));
  }
}

class StatisticsFileTest : public testing::Test {
 protected:
  TempDir temp_;
  Path file_ = temp_ / "statistics.safetensors";
  LinearSite up_ = {"blocks.0.mlp.up", {.in = 4, .out = 6}, DenseSpec{}};
  LinearSite down_ = {"blocks.0.mlp.down", {.in = 6, .out = 4}, DenseSpec{}};

  static LayerStatistics numbers(const LinearSite& site) {
    LayerStatistics statistics = even_statistics(site.shape.in, site.shape.out);
    statistics.fisher = random_fisher(site.shape.in, site.shape.out, site.path);
    return statistics;
  }
  void write(StatisticKinds kinds) {
    const StatisticsOrigin origin = {.examples = 12,
                                     .fisher = FisherTerms::batches,
                                     .batch = 3,
                                     .loss = "cross entropy",
                                     .data = "text.txt",
                                     .data_hash = "00ff"};
    write_statistics(file_, {up_, down_}, kinds, origin,
                     [&](const std::string& path, StatisticKind) {
                       return numbers(path == up_.path ? up_ : down_);
                     },
                     {{"blocks.0.mlp", kChannels, {0.6, 0.8}}});
  }
  std::string refusal(const LinearSite& site, StatisticKinds wanted) {
    const StatisticsFile file(file_);
    return message_of<DataError>([&] { file.check(site, wanted); });
  }
};

TEST_F(StatisticsFileTest, KeepsNumbersAndOrigin) {
  write({.fisher = true, .gram = true, .inputs = true});
  const StatisticsFile file(file_);
  EXPECT_EQ(file.origin().examples, 12);
  EXPECT_EQ(file.origin().fisher, FisherTerms::batches);
  EXPECT_EQ(file.origin().batch, 3);
  EXPECT_EQ(file.origin().loss, "cross entropy");
  EXPECT_EQ(file.origin().data_hash, "00ff");
  const LayerStatistics read = file.read(down_), given = numbers(down_);
  EXPECT_LT(distance(read.fisher, given.fisher), 1e-6 * frobenius_norm(given.fisher));
  EXPECT_EQ(read.gram.data, given.gram.data);
  EXPECT_EQ(read.max_input, given.max_input);
  EXPECT_NEAR(read.mean_input.at(5), 0.3, 1e-7);
}

TEST_F(StatisticsFileTest, KeepsWhatAdaptersSayOfTheLayersThatHaveOne) {
  up_.spec = LoraSpec{{.rank = 2}};
  write({.gram = true, .lora = true});
  const StatisticsFile file(file_);
  const LayerStatistics read = file.read(up_), given = numbers(up_);
  EXPECT_EQ(read.lora_rows, given.lora_rows);
  EXPECT_EQ(read.lora_columns, given.lora_columns);
  EXPECT_TRUE(file.read(down_).has(StatisticKind::gram));
  EXPECT_FALSE(file.read(down_).has(StatisticKind::lora));
  EXPECT_TRUE(contains(refusal(down_, {.lora = true}), "has no lora of blocks.0.mlp.down"));
  ASSERT_EQ(file.groups().size(), 1u);
  EXPECT_EQ(file.groups()[0].path, "blocks.0.mlp");
  EXPECT_EQ(file.groups()[0].groups, kChannels);
  EXPECT_EQ(file.groups()[0].scores, (std::vector<double>{0.6, 0.8}));
}

TEST_F(StatisticsFileTest, SaysWhatDoesNotFit) {
  write({.fisher = true});
  const StatisticsFile file(file_);
  EXPECT_TRUE(file.has(up_.path, StatisticKind::fisher));
  EXPECT_FALSE(file.has(up_.path, StatisticKind::gram));
  EXPECT_FALSE(file.read(up_).has(StatisticKind::inputs));
  EXPECT_EQ(refusal(up_, {.gram = true}),
            file_.string() +
                ": has no gram of blocks.0.mlp.up; make it with: trainyard statistics "
                "MODEL --data FILE --kind gram");
  LinearSite wider = up_;
  wider.shape.in = 5;
  EXPECT_EQ(refusal(wider, {.fisher = true}),
            file_.string() +
                ": tensor blocks.0.mlp.up.fisher: [4, 6]; the layer blocks.0.mlp.up "
                "[5, 6] wants [5, 6]; these are the statistics of another model");
  LinearSite other = up_;
  other.path = "blocks.7.mlp.up";
  EXPECT_TRUE(contains(refusal(other, {.fisher = true}), "has no fisher of blocks.7.mlp.up"));
}

TEST_F(StatisticsFileTest, RefusesOtherFilesAndNumbersThatCannotBe) {
  std::vector<float> fisher(24, 1.0f);
  const auto write_tensor = [&](const std::map<std::string, std::string>& metadata) {
    write_safetensors(file_,
                      std::vector<NamedView>{{"blocks.0.mlp.up.fisher",
                                              contiguous_view(fisher.data(), DType::f32, {4, 6})}},
                      metadata);
  };
  write_tensor({});
  EXPECT_TRUE(
      contains(message_of<DataError>([&] { StatisticsFile file(file_); }),
               "holds no statistics (trainyard = \"\" in its metadata; want \"statistics 1\")"));
  write_tensor({{"trainyard", "statistics 1"}, {"examples", "many"}});
  EXPECT_TRUE(contains(message_of<DataError>([&] { StatisticsFile file(file_); }),
                       "metadata: examples = \"many\"; want a number"));
  for (const float bad : {-1.0f, INFINITY, NAN}) {
    fisher[7] = bad;
    write_tensor({{"trainyard", "statistics 1"}, {"examples", "1"}, {"batch", "1"}});
    const StatisticsFile file(file_);
    EXPECT_TRUE(contains(message_of<DataError>([&] { file.read(up_); }),
                         "want finite numbers of 0 or more"));
  }
}

TEST_F(StatisticsFileTest, RefusesWhatIsNoGramMatrix) {
  // Of inputs [1, 1, 0, 0] and [0, 1, 2, 0].
  const std::vector<float> good = {1, 1, 0, 0, 1, 2, 2, 0, 0, 2, 4, 0, 0, 0, 0, 0};
  const auto read = [&](const std::vector<float>& gram) {
    write_safetensors(file_,
                      std::vector<NamedView>{
                          {"blocks.0.mlp.up.gram",
                           contiguous_view(const_cast<float*>(gram.data()), DType::f32, {4, 4})}},
                      {{"trainyard", "statistics 1"}, {"examples", "2"}, {"batch", "1"}});
    StatisticsFile(file_).read(up_);
  };
  EXPECT_NO_THROW(read(good));
  for (const auto& [place, number] : {std::pair{5, -2.0f}, {1, 1e30f}, {2, 0.5f}, {15, -1.0f}}) {
    std::vector<float> bad = good;
    bad[static_cast<std::size_t>(place)] = number;
    EXPECT_TRUE(
        contains(message_of<DataError>([&] { read(bad); }), "tensor blocks.0.mlp.up.gram: holds "))
        << place;
  }
}

}  // namespace
}  // namespace ty::test
