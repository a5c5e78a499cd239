// contract(): products of unfoldings, against the reference.
#include <array>
#include <string_view>
#include <tuple>

#include "tests/unit/backend/compare.h"

namespace ty::test {
namespace {

struct ContractCase {
  const char* name;
  // Sizes of the digits of rows, columns and the sum, and in which order they lie in memory, from
  // the outermost: letters m, n and k count through the digits of each kind.
  std::vector<std::int64_t> m, n, k;
  const char *c, *a, *b;  // e.g. "mnmn": m_1 n_1 m_2 n_2
};
void PrintTo(const ContractCase& each, std::ostream* out) { *out << each.name; }

// Rows or columns first as the operand is used, digits in memory as `order` says.
class Matrix {
 public:
  Matrix(DType dtype, const char* order, char row, const std::vector<std::int64_t>& rows,
         const std::vector<std::int64_t>& columns, std::uint64_t seed) {
    Shape shape;
    for (const std::int64_t size : rows) shape.push_back(size);
    for (const std::int64_t size : columns) shape.push_back(size);
    Strides strides = shape;
    std::size_t next_row = rows.size(), next_column = columns.size();
    std::int64_t step = 1;
    const std::string_view letters = order;
    for (auto letter = letters.rbegin(); letter != letters.rend(); ++letter) {
      const auto at = static_cast<int>(*letter == row ? --next_row : rows.size() + --next_column);
      strides[at] = step;
      step *= shape[at];
    }
    EXPECT_EQ(next_row + next_column, 0u) << order;
    array = std::make_unique<Array>(Array::random(dtype, shape, strides, seed));
    row_dims = static_cast<int>(rows.size());
  }
  Unfolding unfolding() const { return {array->view(), row_dims}; }

  std::unique_ptr<Array> array;
  int row_dims;
};

const ContractCase kCases[] = {
    {"one_number", {1}, {1}, {1}, "mn", "mk", "kn"},
    {"row_major", {37}, {53}, {29}, "mn", "mk", "kn"},
    {"turned_operands", {130}, {70}, {300}, "mn", "km", "nk"},
    {"turned_result", {33}, {50}, {20}, "nm", "mk", "kn"},
    {"full_vectors", {64}, {96}, {72}, "mn", "mk", "kn"},
    {"four_vectors", {20}, {64}, {10}, "mn", "mk", "kn"},
    {"power_of_two_strides", {40}, {48}, {1024}, "mn", "mk", "nk"},
    {"weight_of_two_factors", {3, 5, 4}, {7, 16}, {12}, "mnmnm", "mmmk", "knn"},
    {"weight_of_odd_modes", {3, 4, 5}, {6, 7, 3}, {9}, "mnmnmn", "mmmk", "knnn"},
    {"gradient_of_the_left_factor", {8, 6}, {20}, {3, 16}, "mmn", "mkmk", "nkk"},
    {"gradient_of_the_right_factor", {24}, {5, 32}, {8, 9}, "mnn", "kkm", "knkn"},
    {"no_columns_but_one", {4, 9}, {1}, {17}, "mmn", "mmk", "kn"},
    {"several_blocks", {300}, {200}, {400}, "mn", "mk", "kn"},
    {"long_sum", {20}, {30}, {3000}, "mn", "mk", "nk"},
    {"long_sum_turned", {64}, {9, 8}, {5, 1000}, "nmn", "mkk", "nnkk"},
};

class Contract : public ::testing::TestWithParam<std::tuple<ContractCase, DType>> {};

TEST_P(Contract, IsLikeTheReference) {
  const auto& [each, dtype] = GetParam();
  const DType wide = accumulator_of(dtype);
  const Matrix a(wide, each.a, 'm', each.m, each.k, 1);
  const Matrix b(wide, each.b, 'k', each.k, each.n, 2);
  const double length = static_cast<double>(a.unfolding().columns());
  expect_like_reference(
      [&, &each = each, dtype = dtype](Backend& backend) {
        Matrix fresh(dtype, each.c, 'm', each.m, each.n, 3);
        fresh.array->set_all(std::numeric_limits<double>::quiet_NaN());
        backend.contract(fresh.unfolding(), a.unfolding(), b.unfolding(), 0.0);
        const Matrix added(dtype, each.c, 'm', each.m, each.n, 3);
        backend.contract(added.unfolding(), a.unfolding(), b.unfolding(), 0.5);
        return Outputs{*fresh.array, *added.array};
      },
      std::sqrt(length) + 2);
}

INSTANTIATE_TEST_SUITE_P(Every, Contract,
                         ::testing::Combine(::testing::ValuesIn(kCases),
                                            ::testing::Values(DType::f32, DType::f64, DType::bf16,
                                                              DType::f16)),
                         [](const auto& test) {
                           return std::string(std::get<0>(test.param).name) + "_" +
                                  std::string(name_of(std::get<1>(test.param)));
                         });

TEST(Contract, OfTheReferenceIsAProductOfPermutedCopies) {
  const auto backend = make_reference_backend();
  // W [i_1, i_2, j_1, j_2] = A [i_1, j_1, r] B [r, i_2, j_2], as a matrix [i_1 i_2, j_1 j_2].
  const Array a = Array::random(DType::f64, {2, 3, 4}, 1),
              b = Array::random(DType::f64, {4, 5, 2}, 2);
  const Array w(DType::f64, {2, 5, 3, 2}), product(DType::f64, {6, 10});
  const std::array order = {0, 2, 1, 3};
  backend->contract({w.view().permute(order), 2}, {a.view(), 2}, {b.view(), 1}, 0.0);
  backend->gemm(product, a.view().reshape({6, 4}), b.view().reshape({4, 10}), {});
  const Array permuted(DType::f64, {2, 5, 3, 2});
  backend->copy(permuted, product.view().reshape({2, 3, 5, 2}).permute(order));
  expect_close(w, permuted, 1);
}

TEST(Contract, LeavesNeighboursAlone) {
  // A result inside a larger matrix: 21 of 40 columns from the 5th, 10 of 12 rows from the 1st.
  const Array a = Array::random(DType::f32, {10, 33}, 1),
              b = Array::random(DType::f32, {33, 21}, 2);
  expect_like_reference(
      [&](Backend& backend) {
        const Array c = Array::random(DType::f32, {12, 40}, 3);
        const View part = c.view().slice(0, 1, 10).slice(1, 5, 21);
        backend.contract({part, 1}, {a.view(), 1}, {b.view(), 1}, 0.0);
        return Outputs{c};
      },
      8);
}

TEST(Contract, OfNothingIsZero) {
  const View a = contiguous_view(nullptr, DType::f32, {3, 0});
  const View b = contiguous_view(nullptr, DType::f32, {0, 20});
  expect_like_reference([&](Backend& backend) {
    const Array fresh(DType::f32, {3, 20}), added = Array::random(DType::f32, {3, 20}, 1);
    backend.contract({fresh, 1}, {a, 1}, {b, 1}, 0.0);
    backend.contract({added, 1}, {a, 1}, {b, 1}, 0.5);
    return Outputs{fresh, added};
  });
}

TEST(Contract, KeepsNumbersThatAreNone) {
  const auto tested = tested_backend();
  const Array a = Array::random(DType::f32, {20, 5}, 1), b = Array::random(DType::f32, {5, 20}, 2);
  a.view().as<float>()[0] = std::numeric_limits<float>::quiet_NaN();
  const Array c(DType::f32, {20, 20});
  tested->contract({c.view(), 1}, {a.view(), 1}, {b.view(), 1}, 0.0);
  const std::vector<double> values = c.values();
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_EQ(std::isnan(values[i]), i < 20) << i;
}

}  // namespace
}  // namespace ty::test
