// Kernels that work row by row: norm, loss, embedding; and the flat ones of the optimizer.
#include "core/base/error.h"
#include "tests/unit/backend/compare.h"

namespace ty::test {
namespace {

using RowKernels = Kernels;
TY_FOR_ALL_FLOATS(RowKernels);

const Shape kMatrices[] = {{1, 1}, {1, 17}, {3, 65}, {17, 3}, {65, 768}, {130, 1029}};

TEST_P(RowKernels, LayerNormAndItsGradient) {
  for (const Shape& shape : kMatrices) {
    if (shape[1] == 1) continue;  // a constant row: 0 times a large factor
    const Shape row{shape[1]}, column{shape[0]};
    const DType wide = accumulator_of(dtype());
    const Array x = random(shape, 1, 1, 3), gamma = random(row, 2), beta = random(row, 3);
    const Array dy = random(shape, 4);
    const Array y(dtype(), shape), mean(wide, column), rstd(wide, column);
    make_reference_backend()->layer_norm(y, mean, rstd, x, gamma, beta, 1e-5);
    expect_like_reference(
        [&](Backend& b) {
          const Array out(dtype(), shape), mu(wide, column), r(wide, column);
          b.layer_norm(out, mu, r, x, gamma, beta, 1e-5);
          const Array in_place(x);
          b.layer_norm(in_place, mu, r, in_place, gamma, beta, 1e-5);
          return Outputs{out, mu, r, in_place};
        },
        8);
    expect_like_reference(
        [&](Backend& b) {
          const Array dx(dtype(), shape), dgamma(dtype(), row), dbeta(dtype(), row);
          b.layer_norm_grad(dx, dgamma, dbeta, dy, x, mean, rstd, gamma);
          const Array over(dy);
          b.layer_norm_grad(over, dgamma, dbeta, over, x, mean, rstd, gamma);
          return Outputs{dx, dgamma, dbeta, over};
        },
        20);
  }
}

TEST_P(RowKernels, LayerNormOfALargeOffsetKeepsItsDigits) {
  if (size_of(dtype()) == 2) return;
  const Array x = random({3, 300}, 1, 1000, 1001), gamma = random({300}, 2),
              beta = random({300}, 3);
  expect_like_reference(
      [&](Backend& b) {
        const Array y(dtype(), {3, 300}), mean(dtype(), {3}), rstd(dtype(), {3});
        b.layer_norm(y, mean, rstd, x, gamma, beta, 0);
        return Outputs{y, mean, rstd};
      },
      300);
}

constexpr CrossEntropyTerms kTerms[] = {
    {}, {.label_smoothing = 0.1}, {.z_loss = 0.01}, {.label_smoothing = 0.2, .z_loss = 0.02}};

TEST_P(RowKernels, CrossEntropyAndItsGradient) {
  for (const Shape& shape : {Shape{1, 1}, Shape{3, 17}, Shape{5, 65}, Shape{4, 5003}}) {
    const DType wide = accumulator_of(dtype());
    const Array logits = random(shape, 1, -9, 9);
    Array targets(DType::i32, {shape[0]});
    std::vector<double> ids;
    for (std::int64_t n = 0; n < shape[0]; ++n) {
      ids.push_back(n == 1 ? -1.0 : static_cast<double>((n * 7919) % shape[1]));
    }
    targets.set(ids);
    const Array factors = Array::random(wide, {shape[0]}, 2), one(wide, {1}, {0.25});
    const Array loss(wide, {shape[0]}), lse(wide, {shape[0]});
    make_reference_backend()->cross_entropy(loss, lse, logits, targets);
    for (const CrossEntropyTerms& terms : kTerms) {
      expect_like_reference(
          [&](Backend& b) {
            const Array out(wide, {shape[0]}), sums(wide, {shape[0]});
            b.cross_entropy(out, sums, logits, targets, {}, terms);
            const Array dlogits(dtype(), shape);
            b.cross_entropy_grad(dlogits, logits, lse, targets, factors, {}, terms);
            const Array in_place(logits);
            b.cross_entropy_grad(in_place, in_place, lse, targets, one.view().expand({shape[0]}),
                                 {}, terms);
            return Outputs{out, sums, dlogits, in_place};
          },
          4);
    }
  }
}

TEST_P(RowKernels, CrossEntropyOfHugeLogitsIsFinite) {
  const Array logits(dtype(), {2, 3}, {6e4, -6e4, 0, -6e4, -6e4, -6e4});
  const Array targets(DType::i32, {2}, {0, 2});
  expect_like_reference(
      [&](Backend& b) {
        const DType wide = accumulator_of(dtype());
        const Array loss(wide, {2}), lse(wide, {2}), dlogits(dtype(), {2, 3});
        b.cross_entropy(loss, lse, logits, targets);
        b.cross_entropy_grad(dlogits, logits, lse, targets, Array(wide, {2}, {1, 1}));
        for (double v : loss.values()) EXPECT_TRUE(std::isfinite(v));
        return Outputs{loss, lse, dlogits};
      },
      dtype() == DType::f64 ? 10
                            : 0.01);  // digits that are left of the difference of large numbers
}

// A run must stop on NaN, so no kernel may lose one on its way into the loss.
TEST_P(RowKernels, OneNanLogitAnywhereShowsInTheLoss) {
  const DType wide = accumulator_of(dtype());
  const auto tested = tested_backend();
  for (std::int64_t width : {5, 64, 1029}) {
    for (std::int64_t at = 0; at < width; at += 3) {
      Array logits = random({1, width}, 1);
      std::vector<double> values = logits.values();
      values[static_cast<std::size_t>(at)] = std::numeric_limits<double>::quiet_NaN();
      logits.set(values);
      const Array targets(DType::i32, {1}, {1}), loss(wide, {1}), lse(wide, {1});
      tested->cross_entropy(loss, lse, logits, targets);
      ASSERT_TRUE(std::isnan(loss.values()[0])) << at << " of " << width;
    }
  }
}

TEST_P(RowKernels, GatherAndScatterRows) {
  for (std::int64_t width : {1, 3, 65, 1029}) {
    const Array table = random({11, width}, 1), dy = random({9, width}, 2);
    const Array ids(DType::i32, {9}, {3, 0, 10, 3, 3, 7, 0, 3, 1});
    expect_like_reference([&](Backend& b) {
      const Array y(dtype(), {9, width}), sums(table);
      b.gather_rows(y, table, ids);
      b.scatter_add_rows(sums, dy, ids);
      return Outputs{y, sums};
    });
  }
}

TEST_P(RowKernels, SlicesOfATableGatherAndScatterWhatTheWholeDoes) {
  constexpr std::int64_t kRows = 11, kWidth = 65, kIds = 9;
  const Array table = random({kRows, kWidth}, 1), dy = random({kIds, kWidth}, 2);
  const Array ids(DType::i32, {kIds}, {3, 0, 10, 3, 4, 7, 0, 3, 5});
  for (const auto& backend : {make_reference_backend(), tested_backend()}) {
    const Array whole(dtype(), {kIds, kWidth}), sums(table), sums_of_slices(table);
    backend->gather_rows(whole, table, ids);
    backend->scatter_add_rows(sums, dy, ids);
    Array all(dtype(), {kIds, kWidth});
    all.set_all(0);
    for (const auto& [first, rows] : {std::pair{0, 4}, {4, 1}, {5, 6}}) {
      const VocabularySlice slice{first, kRows};
      const Array part(dtype(), {kIds, kWidth});
      backend->gather_rows(part, table.view().slice(0, first, rows), ids, slice);
      backend->binary(BinaryOp::add, all, all, part);  // one term is not zero, if any
      backend->scatter_add_rows(sums_of_slices.view().slice(0, first, rows), dy, ids, slice);
    }
    EXPECT_EQ(all.values(), whole.values());
    EXPECT_EQ(sums_of_slices.values(), sums.values());
  }
}

// Rows: targets in each slice, one that does not count.
TEST_P(RowKernels, SlicesOfAVocabularyGiveTheWholeLossAndGradient) {
  constexpr std::int64_t kVocab = 197, kCut = 64, kRows = 4;
  constexpr CrossEntropyTerms kSmoothed = {.label_smoothing = 0.2};
  const DType wide = accumulator_of(dtype());
  const Array logits = random({kRows, kVocab}, 1, -9, 9), factors = Array::random(wide, {kRows}, 2);
  const Array targets(DType::i32, {kRows}, {5, 196, -1, 64});
  const double tolerance_of_sums = wide == DType::f64 ? 1e-13 : 1e-5;
  for (const auto& backend : {make_reference_backend(), tested_backend()}) {
    const Array loss(wide, {kRows}), lse(wide, {kRows}), whole(dtype(), {kRows, kVocab});
    backend->cross_entropy(loss, lse, logits, targets, {}, kSmoothed);
    backend->cross_entropy_grad(whole, logits, lse, targets, factors, {}, kTerms[3]);
    const Array slices(dtype(), {kRows, kVocab});
    std::vector<double> sums(kRows, 0.0), picked(kRows, 0.0);
    for (const auto& [first, count] : {std::pair{std::int64_t{0}, kCut}, {kCut, kVocab - kCut}}) {
      const VocabularySlice slice{first, kVocab};
      const View part = logits.view().slice(1, first, count);
      const Array own_loss(wide, {kRows}), own_lse(wide, {kRows});
      backend->cross_entropy(own_loss, own_lse, part, targets, slice, kSmoothed);
      for (std::size_t n = 0; n < kRows; ++n) {
        sums[n] += std::exp(own_lse.values()[n]);
        picked[n] += own_lse.values()[n] - own_loss.values()[n];
      }
      backend->cross_entropy_grad(slices.view().slice(1, first, count), part, lse, targets, factors,
                                  slice, kTerms[3]);
    }
    for (std::size_t n = 0; n < kRows; ++n) {
      EXPECT_NEAR(std::log(sums[n]), lse.values()[n], tolerance_of_sums);
      if (n == 2) continue;
      EXPECT_NEAR(std::log(sums[n]) - picked[n], loss.values()[n], 4 * tolerance_of_sums);
    }
    EXPECT_EQ(slices.values(), whole.values());
  }
}

TEST_P(RowKernels, IndicesOutOfRangeAreRefusedByName) {
  const auto tested = tested_backend();
  const Array table = random({4, 3}, 1), y(dtype(), {2, 3});
  const Array bad(DType::i32, {2}, {1, 4}), negative(DType::i32, {2}, {-1, 0});
  const DType wide = accumulator_of(dtype());
  const Array loss(wide, {4}), lse(wide, {4});
  expect_refused(*tested, [&] { tested->gather_rows(y, table, bad); });
  expect_refused(*tested, [&] { tested->gather_rows(y, table, negative); });
  expect_refused(*tested, [&] { tested->scatter_add_rows(table, y, bad); });
  expect_refused(*tested, [&] {
    tested->cross_entropy(loss, lse, table, Array(DType::i32, {4}, {0, 1, 2, 3}));
  });
  // Part of a larger one: other slices' ids are fine, ids of none are not.
  const Array beyond(DType::i32, {2}, {1, 9});
  tested->gather_rows(y, table, bad, {.first = 0, .whole = 9});
  expect_refused(*tested, [&] { tested->gather_rows(y, table, beyond, {.first = 0, .whole = 9}); });
  expect_refused(*tested,
                 [&] { tested->scatter_add_rows(table, y, beyond, {.first = 4, .whole = 9}); });
  expect_refused(*tested, [&] {
    tested->cross_entropy(loss, lse, table, Array(DType::i32, {4}, {0, 1, 2, 9}),
                          {.first = 0, .whole = 9});
  });
}

// Numbers of few values: most have equals, and zeros of both signs are among them.
TEST_P(RowKernels, KeepLargestKeepsSoManyAndOfEqualsTheFirst) {
  for (const std::int64_t n : {1, 3, 65, 1029, 9001}) {
    const Array x = random({n}, 1), distinct = random({n}, 2);
    std::vector<double> values;
    for (std::int64_t i = 0; i < n; ++i)
      values.push_back(-0.5 * static_cast<double>((i * 7) % 5 - 2));
    const Array few(dtype(), {n}, values);
    for (const Array& scores : {distinct, few}) {
      for (const std::int64_t kept : {std::int64_t{0}, std::int64_t{1}, n / 3, n - 1, n, n + 1}) {
        expect_like_reference(
            [&](Backend& b) {
              const Array y(dtype(), {n});
              b.keep_largest(y, x, scores, kept);
              const Array in_place(x);
              b.keep_largest(in_place, in_place, scores, kept);
              return Outputs{y, in_place};
            },
            0);
      }
    }
  }
}

// The bound lies among numbers that agree in all but their last bits.
TEST_P(RowKernels, KeepLargestTellsNeighboursApart) {
  if (size_of(dtype()) == 2) return;
  const double step = dtype() == DType::f32 ? 0x1p-23 : 0x1p-52;
  const std::int64_t n = 3000;
  std::vector<double> values;
  for (std::int64_t i = 0; i < n; ++i)
    values.push_back(-1.0 - step * static_cast<double>((i * 77) % n));
  const Array scores(dtype(), {n}, values), x = random({n}, 1);
  expect_like_reference(
      [&](Backend& b) {
        const Array y(dtype(), {n});
        b.keep_largest(y, x, scores, 1234);
        return Outputs{y};
      },
      0);
}

TEST_P(RowKernels, SumSquaresIsAddedUpInDouble) {
  for (std::int64_t n : {1, 3, 65, 1029, 40001, 200000}) {
    const Array x = random({n}, 1);
    expect_like_reference(
        [&](Backend& b) {
          const Array y(DType::f64, {1});
          b.sum_squares(y, x);
          return Outputs{y};
        },
        static_cast<double>(n));
  }
  if (dtype() == DType::f16) return;
  const Array large(dtype(), {3}, {1e25, 1e-25, -1e25});
  expect_like_reference(
      [&](Backend& b) {
        const Array y(DType::f64, {1});
        b.sum_squares(y, large);
        return Outputs{y};
      },
      0);
}

TEST_P(RowKernels, LimitNormScalesOnlyWhatIsAboveIt) {
  if (size_of(dtype()) == 2) return;
  for (const std::int64_t n : {1, 3, 1029, 40001}) {
    for (const double squares : {0.0, 3.99, 4.01, 1e12, std::nan("")}) {
      const Array sum(DType::f64, {1}, {squares});
      const Array before = random({n}, 1);
      const auto limited = [&](Backend& b) {
        const Array y(before);
        b.limit_norm(y, sum, 2.0);
        return Outputs{y};
      };
      expect_like_reference(limited, 1);
      const double factor = squares > 4.0 ? 2.0 / std::sqrt(squares) : 1.0;
      const std::vector<double> x = before.values();
      const std::vector<double> y = limited(*tested_backend())[0].values();
      for (std::size_t i = 0; i < x.size(); ++i) {
        EXPECT_NEAR(y[i], x[i] * factor, factor < 1.0 ? 1e-7 : 0.0);
      }
    }
  }
}

TEST_P(RowKernels, DivideByNormsTakesRootsOfSums) {
  if (size_of(dtype()) == 2) return;
  for (const std::int64_t n : {1, 3, 1029, 40001}) {
    const Array before = random({n}, 1);
    const auto divided = [&](Backend& b) {
      const Array one(before), two(before);
      b.divide_by_norms(one, Array(DType::f64, {1}, {16.0}), 2.0, 1e-30);
      b.divide_by_norms(two, Array(DType::f64, {2}, {65536.0, 0.0}), 16.0, 1.0);
      return Outputs{one, two};
    };
    expect_like_reference(divided, 1);
    const Outputs after = divided(*tested_backend());
    const std::vector<double> x = before.values(), one = after[0].values(), two = after[1].values();
    for (std::size_t i = 0; i < x.size(); ++i) {
      EXPECT_NEAR(one[i], x[i] / 4, 1e-7);
      EXPECT_NEAR(two[i], x[i] / 3, 1e-7);
    }
  }
}

// Parameterised by the gradient's dtype.
TEST_P(RowKernels, AdamWAndSgdUpdateEveryArray) {
  for (DType w_type : {DType::f32, DType::f64}) {
    for (std::int64_t n : {1, 3, 65, 1029, 40001}) {
      const Array g = random({n}, 1);
      for (DType low_type : {DType::f32, DType::bf16, DType::f16}) {
        const bool has_low = low_type != DType::f32;
        expect_like_reference([&](Backend& b) {
          const Array w = Array::random(w_type, {n}, 2), m = Array::random(w_type, {n}, 3);
          const Array v = Array::random(w_type, {n}, 4, 0, 1);
          const Array low(has_low ? low_type : w_type, {n});
          b.adamw(w, m, v, has_low ? low.view() : View{}, g,
                  {.lr = 0.01, .weight_decay = 0.1, .step = 7, .gradient_scale = 0.5});
          return has_low ? Outputs{w, m, v, low} : Outputs{w, m, v};
        });
        expect_like_reference([&](Backend& b) {
          const Array w = Array::random(w_type, {n}, 2), v = Array::random(w_type, {n}, 3);
          const Array low(has_low ? low_type : w_type, {n});
          const View out = has_low ? low.view() : View{};
          b.sgd(w, v, out, g,
                {.lr = 0.01, .momentum = 0.9, .weight_decay = 0.1, .gradient_scale = 0.5});
          b.sgd(w, View{}, out, g, {.lr = 0.01, .momentum = 0, .weight_decay = 0.1});
          return has_low ? Outputs{w, v, low} : Outputs{w, v};
        });
      }
    }
  }
}

TEST(CpuRounding, DrawsAsTheReference) {
  for (const DType narrow : {DType::bf16, DType::f16}) {
    for (const std::int64_t first : {0, 3, 1030}) {
      const Array x = Array::random(DType::f32, {1029}, 5);
      expect_like_reference(
          [&](Backend& b) {
            const Array y(narrow, {1029});
            b.round_stochastic(y, x, RandomStream(3, 4, 5), first);
            return Outputs{y};
          },
          0);
    }
  }
}

}  // namespace
}  // namespace ty::test
