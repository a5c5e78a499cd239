// What adapters alone say about the weights that they are part of, against plain loops and against
// the gradients that training has.
#include "models/statistics/adapter_importance.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "core/autograd/backward.h"
#include "core/nn/flat_parameters.h"
#include "models/linear/lora/fused_columns.h"
#include "models/linear/lora/lora.h"
#include "models/statistics/group_scores.h"
#include "tests/support/matrices.h"
#include "tests/support/tensors.h"

namespace ty::test {
namespace {

Matrix matrix_of(const Tensor& x) { return Matrix(x.dim(0), x.dim(1), doubles(x)); }

Matrix entrywise(Matrix a, const Matrix& b) {
  for (std::size_t i = 0; i < a.data.size(); ++i) a.data[i] *= b.data[i];
  return a;
}

Matrix scaled(Matrix a, double factor) {
  for (double& value : a.data) value *= factor;
  return a;
}

Matrix sum(Matrix a, const Matrix& b) {
  for (std::size_t i = 0; i < a.data.size(); ++i) a.data[i] += b.data[i];
  return a;
}

// A lora layer with fp64 weights, none of which is zero.
struct Adapted {
  Adapted(const LinearShape& shape, const LoraOptions& options)
      : spec(resolved(LoraSpec{options}, shape)),
        layer(make_linear(Scope(store, "layer"), shape, LinearSpec(spec), Split::none, {})),
        flat(store, plan_flat_layout(store, 1, 1), *backend, {DType::f64, DType::f64}) {
    flat.initialise(3);
    for (const Parameter& p : store.all()) {
      backend->copy(p.value.view(), random_tensor(*backend, p.shape, p.name).view());
    }
  }
  Matrix value(const char* name) const { return matrix_of(store.find(name)->value); }
  Matrix gradient(const char* name) const { return matrix_of(grad_of(store.find(name)->value)); }
  void set(const char* name, const Matrix& values) {
    const Tensor& place = store.find(name)->value;
    backend->copy(place.view(), Tensor::from<double>(*backend, place.shape(), values.data).view());
  }

  std::unique_ptr<Backend> backend = make_cpu_backend();
  ParameterStore store;
  LoraSpec spec;
  std::unique_ptr<Linear> layer;
  FlatParameters flat;
};

struct Sums {
  std::vector<double> rows, columns;
};
Sums importance(const Adapted& adapted, const Tensor& x, const Tensor& dy,
                const std::vector<GradientTerm>& terms) {
  const NoGrad no_grad;
  Backend& backend = *adapted.backend;
  const Tensor rows = Tensor::full(backend, {x.dim(1)}, DType::f64, 0.0);
  const Tensor columns = Tensor::full(backend, {dy.dim(1)}, DType::f64, 0.0);
  add_adapter_importance(backend, {rows.view(), columns.view()}, x.view(), dy.view(),
                         lora_factors(*adapted.layer), adapted.layer->dense_weight().view(), terms);
  return {doubles(rows), doubles(columns)};
}

void expect_sums_of(const Sums& found, const Matrix& wanted) {
  double whole = 0;
  for (const double value : wanted.data) whole += value;
  for (std::int64_t i = 0; i < wanted.rows; ++i) {
    double row = 0;
    for (std::int64_t j = 0; j < wanted.cols; ++j) row += wanted(i, j);
    ASSERT_NEAR(found.rows[static_cast<std::size_t>(i)], row, 1e-12 * whole) << "row " << i;
  }
  for (std::int64_t j = 0; j < wanted.cols; ++j) {
    double column = 0;
    for (std::int64_t i = 0; i < wanted.rows; ++i) column += wanted(i, j);
    ASSERT_NEAR(found.columns[static_cast<std::size_t>(j)], column, 1e-12 * whole)
        << "column " << j;
  }
}

TEST(AdapterImportance, IsThatOfTheGradientOfTheWeightWhereAIsOrthonormalAndBZero) {
  for (const double alpha : {6.0, 15.0}) {
    Adapted adapted({.in = 6, .out = 9}, {.rank = 6, .alpha = alpha});
    adapted.set("layer.lora.a", qr(random_matrix(6, 6, "a")).q);
    adapted.set("layer.lora.b", Matrix(6, 9));
    const Tensor x = random_tensor(*adapted.backend, {11, 6}, "x");
    const Tensor dy = random_tensor(*adapted.backend, {11, 9}, "dy");
    const Matrix gradient = multiply_transposed(matrix_of(x), matrix_of(dy));
    const Matrix change = entrywise(gradient, adapted.value("layer.weight"));
    expect_sums_of(importance(adapted, x, dy, {{{0, 11}, 1.0}}), entrywise(change, change));
  }
}

// dA and dB as backward finds them, over s.
TEST(AdapterImportance, IsMadeOfTheGradientsThatTrainingHas) {
  struct Row {
    LinearShape shape;
    LoraOptions options;
  };
  const std::vector<Row> rows = {
      {{.in = 8, .out = 10}, {.rank = 3, .alpha = 12}},
      {{.in = 8, .out = 18, .heads = 3}, {.rank = 2, .alpha = 3, .parts = {"q", "v"}}}};
  for (const Row& row : rows) {
    Adapted adapted(row.shape, row.options);
    const Tensor x = random_tensor(*adapted.backend, {7, row.shape.in}, "x");
    const Tensor dy = random_tensor(*adapted.backend, {7, row.shape.out}, "dy");
    backward(adapted.layer->forward(x), dy);
    const double s = row.options.scale();
    const Matrix a = adapted.value("layer.lora.a");
    const Matrix da = scaled(adapted.gradient("layer.lora.a"), 1 / s);
    Tensor b = adapted.store.find("layer.lora.b")->value.detach();
    Tensor db = grad_of(adapted.store.find("layer.lora.b")->value);
    if (!row.options.parts.empty()) {
      const NoGrad no_grad;
      const FusedParts parts = fused_parts(row.options.parts, row.shape.heads);
      b = spread_over_fused(b, parts);
      db = spread_over_fused(db, parts);
    }
    const Matrix db_once = scaled(matrix_of(db), 1 / s);
    const Matrix g = sum(sum(multiply(da, matrix_of(b)), multiply(a, db_once)),
                         scaled(multiply(da, db_once), -1.0));
    const Matrix change = entrywise(g, matrix_of(adapted.layer->dense_weight()));
    expect_sums_of(importance(adapted, x, dy, {{{0, 7}, 1.0}}), entrywise(change, change));
  }
}

// More rows of a weight than a tile has, and terms of their own lengths and scales.
TEST(AdapterImportance, AddsUpTermsTileByTile) {
  const LinearShape shape = {.in = 701, .out = 1031};
  const Adapted adapted(shape, {.rank = 4, .alpha = 8});
  const Tensor x = random_tensor(*adapted.backend, {9, shape.in}, "x");
  const Tensor dy = random_tensor(*adapted.backend, {9, shape.out}, "dy");
  ASSERT_LT(tile_rows(dy.view()), shape.in);
  const std::vector<GradientTerm> terms = {{{0, 4}, 0.5}, {{4, 5}, 2.0}};
  const Matrix a = adapted.value("layer.lora.a"), b = adapted.value("layer.lora.b");
  const Matrix whole = matrix_of(adapted.layer->dense_weight());
  Matrix wanted(shape.in, shape.out);
  for (const GradientTerm& term : terms) {
    const auto rows = [&](const Tensor& t) {
      return matrix_of(t.alias(t.view().slice(0, term.rows.first, term.rows.count)).contiguous());
    };
    const Matrix gx = rows(x), gy = scaled(rows(dy), term.scale);
    const Matrix da = multiply_transposed(gx, multiply(gy, transpose(b)));
    const Matrix db = multiply_transposed(multiply(gx, a), gy);
    const Matrix g = sum(sum(multiply(da, b), multiply(a, db)), scaled(multiply(da, db), -1.0));
    const Matrix change = entrywise(g, whole);
    wanted = sum(std::move(wanted), entrywise(change, change));
  }
  expect_sums_of(importance(adapted, x, dy, terms), wanted);
}

// Of the layers of a block with heads of two columns and an MLP.
class Groups : public testing::Test {
 protected:
  static LinearSite site(const char* path, std::int64_t in, std::int64_t out, bool has_adapter) {
    return {path,
            {.in = in, .out = out},
            has_adapter ? LinearSpec(LoraSpec{{.rank = 1}}) : LinearSpec()};
  }
  // Every row and column of a layer counts 1, but some.
  static LayerStatistics even(const LinearSite& site) {
    LayerStatistics statistics;
    statistics.lora_rows.assign(static_cast<std::size_t>(site.shape.in), 1.0);
    statistics.lora_columns.assign(static_cast<std::size_t>(site.shape.out), 1.0);
    return statistics;
  }
  static std::vector<GroupScores> scores(const std::vector<LinearSite>& sites,
                                         const std::map<std::string, LayerStatistics>& changed) {
    return group_scores(sites, 3, [&](const std::string& path) {
      const auto found = changed.find(path);
      if (found != changed.end()) return found->second;
      for (const LinearSite& each : sites) {
        if (each.path == path) return even(each);
      }
      return LayerStatistics();
    });
  }
};

TEST_F(Groups, AreHeadsAndChannelsOfWhatHasAdapters) {
  const std::vector<LinearSite> sites = {
      site("blocks.0.attn.qkv", 6, 18, true),  site("blocks.0.attn.out", 6, 6, true),
      site("blocks.0.mlp.up", 6, 10, false),   site("blocks.0.mlp.down", 10, 6, true),
      site("blocks.1.attn.qkv", 6, 18, false), site("head.labels", 6, 2, false)};
  LayerStatistics qkv = even(sites[0]), out = even(sites[1]), down = even(sites[3]);
  qkv.lora_columns[7] = 5;  // of the second head: columns 6 to 11
  out.lora_rows[5] = 4;     // of the third one: rows 4 and 5
  down.lora_rows[9] = 3;
  const auto parts =
      scores(sites, {{sites[0].path, qkv}, {sites[1].path, out}, {sites[3].path, down}});
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[0].path, "blocks.0.attn");
  EXPECT_EQ(parts[0].groups, kHeads);
  const double heads = std::sqrt(8.0 * 8 + 12 * 12 + 11 * 11);
  ASSERT_EQ(parts[0].scores.size(), 3u);
  EXPECT_NEAR(parts[0].scores[0], 8 / heads, 1e-15);
  EXPECT_NEAR(parts[0].scores[1], 12 / heads, 1e-15);
  EXPECT_NEAR(parts[0].scores[2], 11 / heads, 1e-15);
  EXPECT_EQ(parts[1].path, "blocks.0.mlp");
  EXPECT_EQ(parts[1].groups, kChannels);
  ASSERT_EQ(parts[1].scores.size(), 10u);
  EXPECT_NEAR(parts[1].scores[9], 3 / std::sqrt(9.0 + 9), 1e-15);
}

TEST_F(Groups, WithoutAnyImportanceScoreNothing) {
  const std::vector<LinearSite> sites = {site("blocks.0.mlp.up", 6, 10, true)};
  LayerStatistics none = even(sites[0]);
  none.lora_columns.assign(10, 0.0);
  EXPECT_EQ(scores(sites, {{sites[0].path, none}})[0].scores, std::vector<double>(10, 0.0));
  EXPECT_TRUE(scores({site("blocks.0.mlp.up", 6, 10, false)}, {}).empty());
}

}  // namespace
}  // namespace ty::test
