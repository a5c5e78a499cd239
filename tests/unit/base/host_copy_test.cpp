#include "core/base/host_copy.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "core/base/error.h"

namespace ty::test {
namespace {

template <typename T, std::size_t N>
View view_of(std::array<T, N>& values, const Shape& shape) {
  return contiguous_view(values.data(), DTypeOf<T>::value, shape);
}

TEST(HostCopy, FollowsTheStridesOfBothSides) {
  std::array<std::int32_t, 6> source = {1, 2, 3, 4, 5, 6};
  std::array<std::int32_t, 12> target = {};
  // [2, 3] transposed, into every other column of [3, 4].
  View columns = view_of(target, {3, 4}).slice(1, 1, 2);
  columns.strides[1] = 2;
  host_copy(view_of(source, {2, 3}).transpose(0, 1), columns);
  EXPECT_EQ(target, (std::array<std::int32_t, 12>{0, 1, 0, 4, 0, 2, 0, 5, 0, 3, 0, 6}));
}

TEST(HostCopy, RepeatsWhatAViewRepeats) {
  std::array<float, 2> source = {1, 2};
  std::array<float, 6> target = {};
  host_copy(view_of(source, {2, 1}).expand({2, 3}), view_of(target, {2, 3}));
  EXPECT_EQ(target, (std::array<float, 6>{1, 1, 1, 2, 2, 2}));
}

TEST(HostCopy, ConvertsBetweenTypes) {
  std::array<double, 3> source = {1.0, -2.5, 1.0 + 1.0 / 512};
  std::array<bf16, 3> narrow;
  std::array<float, 3> back = {};
  host_copy(view_of(source, {3}), view_of(narrow, {3}));
  host_copy(view_of(narrow, {3}), view_of(back, {3}));
  EXPECT_EQ(back, (std::array<float, 3>{1.0f, -2.5f, 1.0f}));  // rounded to nearest even
  std::array<std::int64_t, 2> wide = {-7, 1 << 20};
  std::array<std::int32_t, 2> ids = {};
  host_copy(view_of(wide, {2}), view_of(ids, {2}));
  EXPECT_EQ(ids, (std::array<std::int32_t, 2>{-7, 1 << 20}));
}

TEST(HostCopy, OfNothingAndOfOtherShapes) {
  host_copy(contiguous_view(nullptr, DType::f32, {0, 3}),
            contiguous_view(nullptr, DType::f32, {0, 3}));
  std::array<float, 6> source = {}, target = {};
  EXPECT_THROW(host_copy(view_of(source, {2, 3}), view_of(target, {3, 2})), InternalError);
}

}  // namespace
}  // namespace ty::test
