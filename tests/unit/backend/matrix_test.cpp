#include "core/base/error.h"
#include "tests/unit/backend/compare.h"

namespace ty::test {
namespace {

using Matrices = Kernels;
TY_FOR_ALL_FLOATS(Matrices);

struct Layouts {
  bool a, b, c;  // transposed in memory
};

View laid_out(const Array& x, bool transposed) {
  return transposed ? x.view().transpose(-2, -1) : x.view();
}
Shape shape_of(bool transposed, std::int64_t rows, std::int64_t columns) {
  return transposed ? Shape{columns, rows} : Shape{rows, columns};
}

TEST_P(Matrices, GemmTakesEveryLayoutAndSize) {
  const std::int64_t sizes[][3] = {{1, 1, 1},   {1, 65, 3},     {65, 1, 17},   {3, 17, 65},
                                   {17, 33, 1}, {70, 129, 300}, {20, 30, 3000}};
  for (const auto& [m, n, k] : sizes) {
    for (int bits = 0; bits < 8; ++bits) {
      const Layouts t = {(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0};
      const Array a = random(shape_of(t.a, m, k), 1), right = random(shape_of(t.b, k, n), 2);
      const Shape result = shape_of(t.c, m, n);
      expect_like_reference(
          [&](Backend& b) {
            const Array fresh(dtype(), result);
            b.gemm(laid_out(fresh, t.c), laid_out(a, t.a), laid_out(right, t.b), {});
            const Array added = random(result, 3);
            b.gemm(laid_out(added, t.c), laid_out(a, t.a), laid_out(right, t.b), {-0.5, 2});
            return Outputs{fresh, added};
          },
          std::sqrt(static_cast<double>(k)) + 2, MoreWorkers::may_round);
    }
  }
}

// The sums of a row do not depend on the other rows, on the part of the columns, or on threads.
TEST_P(Matrices, GemmOfFewRowsGivesEachRowTheSameBits) {
  if (dtype() == DType::f64) return;
  for (const auto& [m, n, k] : {std::tuple{1, 200, 300}, {3, 1030, 77}, {8, 515, 40}, {5, 64, 1}}) {
    const Array x = random({m, k}, 1);
    for (const bool transposed : {false, true}) {
      const Array weight = random(shape_of(transposed, k, n), 2);
      const View w = laid_out(weight, transposed);
      expect_like_reference(
          [&](Backend& b) {
            const Array fresh(dtype(), {m, n}), added = random({m, n}, 3);
            const Array wide = Array::random(DType::f32, {m, n}, 4);
            b.gemm(fresh, x, w, {});
            b.gemm(added, x, w, {-0.5, 2});
            b.gemm(wide, x, w, {1, 1});
            return Outputs{fresh, added, wide};
          },
          std::sqrt(static_cast<double>(k)) + 2);
      const auto tested = tested_backend();
      const Array all(dtype(), {m, n}), parts(dtype(), {m, n});
      tested->gemm(all, x, w, {});
      for (std::int64_t row = 0; row < m; ++row) {
        const View of_x = x.view().slice(0, row, 1), of_y = parts.view().slice(0, row, 1);
        tested->gemm(of_y, of_x, w, {});
        if (n >= 200) {
          tested->gemm(of_y.slice(1, 7, 100), of_x, w.slice(1, 7, 100), {});
        }
      }
      expect_same_bits(parts, all);
    }
  }
}

TEST_P(Matrices, GemmTakesSlicesAndOddStrides) {
  const Array a = random({40, 90}, 1), right = random({90, 50}, 2);
  const Array spread = Array::random(dtype(), {20, 30}, {150, 4}, 3);
  const Array row = random({1, 30}, 4);
  expect_like_reference(
      [&](Backend& b) {
        const Array c = random({40, 50}, 5);
        b.gemm(c.view().slice(1, 10, 30).slice(0, 5, 20), a.view().slice(0, 3, 20).slice(1, 7, 60),
               right.view().slice(0, 30, 60).slice(1, 1, 30), {1, 0});
        const Array odd(dtype(), {20, 20});
        b.gemm(odd, spread, spread.view().transpose(0, 1), {});
        const Array repeated(dtype(), {20, 20});
        b.gemm(repeated, spread, row.view().expand({20, 30}).transpose(0, 1), {});
        const Array scattered = Array::random(dtype(), {20, 20}, {100, 3}, 6);
        b.gemm(scattered, spread, spread.view().transpose(0, 1), {1, 1});
        return Outputs{c, odd, repeated, scattered};
      },
      8, MoreWorkers::may_round);
}

TEST_P(Matrices, GemmExpandsLeadingDimensions) {
  struct Case {
    Shape c, a, b;
  };
  const Case cases[] = {{{3, 7, 5}, {3, 7, 9}, {9, 5}},
                        {{3, 7, 5}, {3, 7, 9}, {1, 9, 5}},
                        {{3, 7, 5}, {7, 9}, {3, 9, 5}},
                        {{3, 7, 5}, {1, 7, 9}, {3, 9, 5}},
                        {{2, 3, 7, 5}, {2, 3, 7, 9}, {9, 5}},
                        {{2, 3, 7, 5}, {3, 7, 9}, {2, 1, 9, 5}},
                        {{2, 3, 7, 5}, {2, 1, 7, 9}, {1, 3, 9, 5}},
                        {{1, 3, 7, 5}, {1, 3, 7, 9}, {1, 1, 9, 5}}};
  for (const Case& c : cases) {
    const Array a = random(c.a, 1), right = random(c.b, 2);
    expect_like_reference(
        [&](Backend& b) {
          const Array fresh(dtype(), c.c), added = random(c.c, 3);
          b.gemm(fresh, a, right, {});
          b.gemm(added, a, right, {1, 1});
          return Outputs{fresh, added};
        },
        5);
  }
  const Array heads = random({2, 17, 3, 5}, 4);  // [B, T, H, D] seen as [B, H, T, D]
  expect_like_reference(
      [&](Backend& b) {
        const View q = heads.view().transpose(1, 2);
        const Array scores(dtype(), {2, 3, 17, 17});
        b.gemm(scores, q, q.transpose(2, 3), {});
        const Array y(dtype(), {2, 17, 3, 5});
        b.gemm(y.view().transpose(1, 2), scores, q, {0.1, 0});
        return Outputs{scores, y};
      },
      5);
}

TEST_P(Matrices, GemmMayWriteAWiderType) {
  const Array a = random({30, 40}, 1), right = random({40, 20}, 2);
  for (DType to : {DType::f32, DType::f64}) {
    if (size_of(to) < size_of(dtype())) continue;
    expect_like_reference(
        [&](Backend& b) {
          const Array c = Array::random(to, {30, 20}, 3), t = Array::random(to, {20, 30}, 3);
          b.gemm(c, a, right, {1, 1});
          b.gemm(t.view().transpose(0, 1), a, right, {1, 0});
          return Outputs{c, t};
        },
        5);
  }
}

TEST_P(Matrices, GemmOverNothingLeavesBetaTimesTheOutput) {
  expect_like_reference([&](Backend& b) {
    const Array a(dtype(), {3, 1}), right(dtype(), {1, 4});
    const Array fresh(dtype(), {3, 4}), kept = random({3, 4}, 1);
    b.gemm(fresh, a.view().slice(1, 0, 0), right.view().slice(0, 0, 0), {});
    b.gemm(kept, a.view().slice(1, 0, 0), right.view().slice(0, 0, 0), {1, 0.5});
    return Outputs{fresh, kept};
  });
}

TEST_P(Matrices, GemmWithBias) {
  for (const auto& [m, n, k] : {std::tuple{1, 1, 1}, {17, 33, 9}, {5, 1, 40}, {64, 7, 0}}) {
    const Array a = random({m, std::max(k, 1)}, 1), right = random({std::max(k, 1), n}, 2);
    const Array bias = random({n}, 3);
    expect_like_reference(
        [&](Backend& b) {
          const View left = a.view().slice(1, 0, k), below = right.view().slice(0, 0, k);
          const Array rows(dtype(), {m, n}), columns(dtype(), {n, m}), plain(dtype(), {m, n});
          b.gemm_bias(rows, left, below, bias);
          b.gemm_bias(columns.view().transpose(0, 1), left, below, bias);
          b.gemm_bias(plain, left, below, View{});
          return Outputs{rows, columns, plain};
        },
        std::sqrt(static_cast<double>(k)) + 2, MoreWorkers::may_round);
  }
}

struct AttentionCase {
  std::int64_t batch, heads, tq, tk, width;
  bool causal;
  double p;
  std::vector<double> lengths = {};  // empty: all keys
};
const AttentionCase kAttention[] = {
    {1, 1, 1, 1, 1, true, 0},
    {2, 3, 17, 17, 8, true, 0},
    {2, 2, 65, 65, 16, true, 0.2},
    {1, 2, 65, 130, 16, true, 0},
    {1, 2, 3, 150, 16, true, 0.3},
    {2, 1, 130, 33, 5, false, 0.5},
    {1, 3, 150, 150, 9, false, 0},
    {1, 1, 70, 3, 4, true, 0},
    {4, 2, 17, 70, 8, false, 0, {70, 1, 0, 33}},
    {3, 2, 130, 130, 8, true, 0.3, {5, 130, 77}},
};

TEST_P(Matrices, AttentionAndItsGradient) {
  if (dtype() == DType::f16) return;  // the same path as bf16
  for (const AttentionCase& c : kAttention) {
    // q, k and v of one projection [B, T, 3, H, D] where the lengths allow it.
    const auto operand = [&](std::int64_t length, std::uint64_t seed) {
      const std::int64_t row = 3 * c.heads * c.width;
      return Array::random(dtype(), {c.batch, c.heads, length, c.width},
                           {length * row, c.width, row, 1}, seed);
    };
    const Array q = operand(c.tq, 1), k = operand(c.tk, 2), v = operand(c.tk, 3);
    const Array dy = operand(c.tq, 4);
    Array lengths(DType::i32, {c.batch});
    if (!c.lengths.empty()) lengths.set(c.lengths);
    const AttentionOptions options{.scale = 1.7,
                                   .causal = c.causal,
                                   .lengths = c.lengths.empty() ? View{} : lengths.view(),
                                   .dropout = {c.p, RandomStream(3, site_id("p")), 2},
                                   .first_head = 3};
    // One forward result for both, so that the gradients compare like with like.
    const Shape query{c.batch, c.heads, c.tq, c.width};
    const Array y(dtype(), query), lse(accumulator_of(dtype()), {c.batch, c.heads, c.tq});
    make_reference_backend()->attention(y, lse, q, k, v, options);
    expect_like_reference(
        [&](Backend& b) {
          const Array out = operand(c.tq, 5), sums(lse.view().dtype, lse.view().shape);
          b.attention(out, sums, q, k, v, options);
          return Outputs{out, sums};
        },
        1.5);
    expect_like_reference(
        [&](Backend& b) {
          const Array dq = operand(c.tq, 5), dk = operand(c.tk, 6), dv = operand(c.tk, 7);
          b.attention_grad(dq, dk, dv, dy, y, lse, q, k, v, options);
          return Outputs{dq, dk, dv};
        },
        8);
  }
}

// What lies behind a batch entry's length is not read, and gets no gradient.
TEST_P(Matrices, AttentionStopsAtEachLength) {
  const Shape query{2, 1, 3, 4}, key{2, 1, 5, 4};
  const Array lengths(DType::i32, {2}, {2, 5});
  const AttentionOptions options{.scale = 0.7, .lengths = lengths};
  const Array q = random(query, 1), dy = random(query, 4);
  Array k = random(key, 2), v = random(key, 3);
  for (const Array* x : {&k, &v}) {
    make_reference_backend()->fill(x->view()[0][0].slice(0, 2, 3),
                                   std::numeric_limits<double>::quiet_NaN());
  }
  const DType wide = accumulator_of(dtype());
  for (const auto& backend : {make_reference_backend(), tested_backend()}) {
    const Array y(dtype(), query), lse(wide, {2, 1, 3});
    const Array dq(dtype(), query), dk(dtype(), key), dv(dtype(), key);
    backend->attention(y, lse, q, k, v, options);
    backend->attention_grad(dq, dk, dv, dy, y, lse, q, k, v, options);
    for (const Array* x : {&y, &dq, &dk, &dv}) {
      for (const double value : x->values()) ASSERT_TRUE(std::isfinite(value));
    }
    const std::vector<double> gk = dk.values(), gv = dv.values();
    for (std::size_t i = 0; i < 40; ++i) {
      const bool behind = i >= 8 && i < 20;
      EXPECT_EQ(gk[i] == 0.0, behind) << i;
      EXPECT_EQ(gv[i] == 0.0, behind) << i;
    }
  }
  const Array y(dtype(), query), lse(wide, {2, 1, 3}), long_one(DType::i32, {2}, {2, 6});
  try {
    const auto tested = tested_backend();
    tested->attention(y, lse, q, k, v, {.lengths = long_one});
    tested->synchronize();
    FAIL() << "a length beyond the keys was taken";
  } catch (const ShapeError& error) {
    EXPECT_STREQ(error.what(), "attention: length 6 of batch entry 1, but there are 5 keys");
  }
}

TEST_P(Matrices, AttentionOfSomeHeadsAndEntriesIsThatOfAll) {
  const Shape query{3, 4, 9, 8}, key{3, 4, 11, 8};
  const Array q = random(query, 1), k = random(key, 2), v = random(key, 3), dy = random(query, 4);
  const DType wide = accumulator_of(dtype());
  const auto options = [](std::int64_t entry, std::int64_t head) {
    return AttentionOptions{.scale = 0.7,
                            .causal = true,
                            .dropout = {0.3, RandomStream(3, site_id("p")), 5 + entry},
                            .first_head = head};
  };
  for (const auto& backend : {make_reference_backend(), tested_backend()}) {
    const Array y(dtype(), query), lse(wide, {3, 4, 9}), part(dtype(), query);
    const Array dq(dtype(), query), dk(dtype(), key), dv(dtype(), key);
    const Array pq(dtype(), query), pk(dtype(), key), pv(dtype(), key);
    backend->attention(y, lse, q, k, v, options(0, 0));
    backend->attention_grad(dq, dk, dv, dy, y, lse, q, k, v, options(0, 0));
    for (const auto& [entry, entries] : {std::pair{0, 1}, {1, 2}}) {
      for (const auto& [head, heads] : {std::pair{0, 3}, {3, 1}}) {
        const auto of = [&, entry = entry, entries = entries, head = head,
                         heads = heads](const Array& x) {
          return x.view().slice(0, entry, entries).slice(1, head, heads);
        };
        const Array sums(wide, {entries, heads, 9});
        backend->attention(of(part), sums, of(q), of(k), of(v), options(entry, head));
        backend->attention_grad(of(pq), of(pk), of(pv), of(dy), of(part), sums, of(q), of(k), of(v),
                                options(entry, head));
      }
    }
    EXPECT_EQ(part.values(), y.values());
    EXPECT_EQ(pq.values(), dq.values());
    EXPECT_EQ(pk.values(), dk.values());
    EXPECT_EQ(pv.values(), dv.values());
  }
}

}  // namespace
}  // namespace ty::test
