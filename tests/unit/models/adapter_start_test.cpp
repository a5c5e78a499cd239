// Adapters that start from the weight beside which they stand.
#include <gtest/gtest.h>

#include <cmath>

#include "core/base/error.h"
#include "core/linalg/svd.h"
#include "models/linear/dense/dense.h"
#include "models/linear/lora/start.h"
#include "models/linear/svd/svd.h"
#include "models/linear/ttm/ttm.h"
#include "tests/support/messages.h"

namespace ty::test {
namespace {

Matrix some_matrix(std::int64_t rows, std::int64_t cols) {
  return normal_matrix(rows, cols, RandomStream(5, site_id("w")));
}

// The part of a start that is a matrix of so many columns.
Matrix matrix(std::map<std::string, std::vector<double>>& values, const char* name,
              std::int64_t cols) {
  const std::vector<double>& data = values.at(name);
  return Matrix(std::ssize(data) / cols, cols, data);
}

double distance(const Matrix& a, const Matrix& b) { return frobenius_norm(subtract(a, b)); }

Matrix sum(Matrix a, const Matrix& b, double factor) {
  for (std::size_t i = 0; i < a.data.size(); ++i) a.data[i] += factor * b.data[i];
  return a;
}

double tail(const Matrix& w, std::size_t from) {
  double energy = 0;
  const std::vector<double> sigma = singular_values(w);
  for (std::size_t i = from; i < sigma.size(); ++i) energy += sigma[i] * sigma[i];
  return std::sqrt(energy);
}

TEST(Pissa, SplitsAWeightIntoItsPrincipalPartAndTheRest) {
  const LoraSpec spec = {{.rank = 3, .alpha = 7, .init = LoraInit::pissa}};
  const Matrix w = some_matrix(11, 8);
  auto values = adapter_start(spec, {11, 8}, w);
  const Matrix rest = matrix(values, "weight", 8), a = matrix(values, "lora.a", 3),
               b = matrix(values, "lora.b", 8);
  EXPECT_LT(distance(sum(rest, multiply(a, b), 7.0 / 3), w), 1e-12);
  EXPECT_NEAR(frobenius_norm(rest), tail(w, 3), 1e-12);
  // Both factors carry the root of the singular values.
  EXPECT_LT(distance(multiply_transposed(a, a), multiply(b, transpose(b))), 1e-12);
}

TEST(Pissa, OfPartsLeavesTheOthersAlone) {
  const LoraSpec spec = {{.rank = 2, .alpha = 6, .init = LoraInit::pissa, .parts = {"q", "v"}}};
  const LinearShape shape = {.in = 7, .out = 18, .heads = 3};  // q, k, v of 2 columns a head
  const Matrix w = some_matrix(7, 18);
  auto values = adapter_start(spec, shape, w);
  const Matrix rest = matrix(values, "weight", 18), a = matrix(values, "lora.a", 4),
               b = matrix(values, "lora.b", 12);
  for (std::int64_t part = 0; part < 3; ++part) {
    const std::int64_t p = part == 0 ? 0 : 1;  // among the two
    Matrix was(7, 6), is(7, 6), change(7, 6);
    for (std::int64_t i = 0; i < 7; ++i) {
      for (std::int64_t j = 0; j < 6; ++j) {
        const std::int64_t column = j / 2 * 6 + part * 2 + j % 2;
        was(i, j) = w(i, column);
        is(i, j) = rest(i, column);
        for (std::int64_t k = 0; part != 1 && k < 2; ++k) {
          change(i, j) += 3 * a(i, p * 2 + k) * b(k, j / 2 * 4 + p * 2 + j % 2);
        }
      }
    }
    EXPECT_LT(distance(sum(is, change, 1), was), 1e-12) << part;
    EXPECT_NEAR(frobenius_norm(is), tail(was, part == 1 ? 0 : 2), 1e-12) << part;
  }
}

TEST(Pissa, OfAnSvdLayerLeavesOneOfTheSameSize) {
  const LoraSpec spec = {{.rank = 2, .alpha = 2, .init = LoraInit::pissa}, SvdSpec{.rank = 5}};
  const Matrix w = multiply(some_matrix(9, 5), some_matrix(5, 8));
  auto values = adapter_start(spec, {9, 8}, w);
  const Matrix rest = multiply(matrix(values, "a", 5), matrix(values, "b", 8));
  const Matrix taken = multiply(matrix(values, "lora.a", 2), matrix(values, "lora.b", 8));
  EXPECT_LT(distance(sum(rest, taken, 1), w), 1e-11);
  EXPECT_NEAR(frobenius_norm(rest), tail(w, 2), 1e-11);
}

TEST(Pissa, IsRefusedWhereTheRestHasNoPlace) {
  const auto error = [](LoraOptions options, LinearSpec of) {
    options.init = LoraInit::pissa;
    return message_of<ConfigError>([&] {
      resolved(LoraSpec{options, std::move(of)}, {.in = 12, .out = 36, .heads = 2});
    });
  };
  EXPECT_TRUE(contains(error({.rank = 2}, TtmSpec{.rank = 3}),
                       "lora: pissa of a ttm layer, whose rest is none of its size"));
  EXPECT_TRUE(contains(error({.rank = 6}, SvdSpec{.rank = 5}),
                       "pissa of rank 6 out of an svd layer of rank 5; want 1 to 5"));
  EXPECT_TRUE(contains(error({.rank = 2, .parts = {"q"}}, SvdSpec{.rank = 5}),
                       "pissa of parts of an svd layer"));
}

TEST(Dora, StartsWithTheLengthsOfColumns) {
  const LinearShape shape = {.in = 7, .out = 18, .heads = 3};
  const Matrix w = some_matrix(7, 18);
  const auto length = [&](std::int64_t column) {
    double sum = 0;
    for (std::int64_t i = 0; i < 7; ++i) sum += w(i, column) * w(i, column);
    return std::sqrt(sum);
  };
  const auto all = adapter_start(LoraSpec{{.rank = 2, .dora = true}}, shape, w);
  ASSERT_EQ(all.size(), 1);
  for (std::size_t j = 0; j < 18; ++j) {
    EXPECT_DOUBLE_EQ(all.at("lora.magnitude")[j], length(static_cast<std::int64_t>(j)));
  }
  const auto some = adapter_start(LoraSpec{{.rank = 2, .dora = true, .parts = {"v"}}}, shape, w);
  for (std::int64_t j = 0; j < 6; ++j) {
    EXPECT_DOUBLE_EQ(some.at("lora.magnitude")[static_cast<std::size_t>(j)],
                     length(j / 2 * 6 + 4 + j % 2));
  }
}

}  // namespace
}  // namespace ty::test
