// Parts of arrays that are cut along one dimension, against the places of single elements.
#include "core/base/slice.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>

namespace ty::test {
namespace {

// A part and the elements that it holds: position in the part -> position in the whole.
struct Part {
  Shape shape;
  Slice slice;
  std::map<std::int64_t, std::int64_t> elements;
};

std::map<std::int64_t, std::int64_t> elements_of(const Shape& part, const Slice& slice) {
  const Strides steps = contiguous_strides(whole_shape(part, slice));
  std::map<std::int64_t, std::int64_t> elements;
  for (std::int64_t i = 0; i < part.numel(); ++i) {
    std::int64_t rest = i, in_whole = 0;
    bool is_padding = false;
    for (int d = part.rank() - 1; d >= 0; --d) {
      const std::int64_t at = rest % part[d] + (d == slice.dim ? slice.first : 0);
      is_padding |= d == slice.dim && at >= slice.whole;
      in_whole += at * steps[d];
      rest /= part[d];
    }
    if (!is_padding) elements[i] = in_whole;
  }
  return elements;
}

// The whole, and what each of 1 to 5 ranks holds of it along each dimension.
std::vector<Part> parts_of(const Shape& whole) {
  std::vector<Part> parts = {{whole, {}, elements_of(whole, {})}};
  for (int dim = 0; dim < whole.rank(); ++dim) {
    for (std::int64_t ranks = 1; ranks <= 5; ++ranks) {
      Shape shape = whole;
      shape[dim] = (whole[dim] + ranks - 1) / ranks;
      for (std::int64_t rank = 0; rank < ranks; ++rank) {
        const Slice slice = {dim, rank * shape[dim], whole[dim]};
        parts.push_back({shape, slice, elements_of(shape, slice)});
      }
    }
  }
  return parts;
}

TEST(Slice, RunsAreAllElementsInsideTheWholeAndNoPadding) {
  int with_padding = 0;
  for (const Shape& whole : {Shape{7}, Shape{4, 6}, Shape{3, 4, 2}}) {
    for (const Part& part : parts_of(whole)) {
      const std::int64_t size = part.shape.numel();
      with_padding += std::ssize(part.elements) < size ? 1 : 0;
      EXPECT_EQ(unpadded_shape(part.shape, part.slice).numel(), std::ssize(part.elements));
      for (std::int64_t first = 0; first < size; ++first) {
        for (std::int64_t count = 0; first + count <= size; ++count) {
          std::map<std::int64_t, std::int64_t> wanted, found;
          for (const auto& [in_part, in_whole] : part.elements) {
            if (in_part >= first && in_part < first + count) wanted[in_part] = in_whole;
          }
          for (const SliceRun& run : runs_of(part.shape, part.slice, {first, count})) {
            EXPECT_GT(run.count, 0);
            for (std::int64_t i = 0; i < run.count; ++i) {
              EXPECT_FALSE(found.contains(run.part_first + i));
              found[run.part_first + i] = run.whole_first + i;
            }
          }
          ASSERT_EQ(found, wanted) << part.shape.str() << " from " << part.slice.first << " of "
                                   << whole.str() << ", [" << first << ", +" << count << ")";
        }
      }
    }
  }
  EXPECT_GT(with_padding, 10);
}

TEST(Slice, RunsAreAsLongAsCanBe) {
  using Runs = std::vector<SliceRun>;
  EXPECT_EQ(runs_of({4, 6}, {}, {5, 14}), (Runs{{5, 5, 14}}));
  EXPECT_EQ(runs_of({2, 6}, {0, 2, 4}, {0, 12}), (Runs{{12, 0, 12}}));
  EXPECT_EQ(runs_of({4, 6}, {1, 0, 6}, {3, 12}), (Runs{{3, 3, 12}}));
  EXPECT_EQ(runs_of({2, 3}, {1, 3, 6}, {1, 4}), (Runs{{4, 1, 2}, {9, 3, 2}}));
  EXPECT_EQ(runs_of({2, 4}, {1, 0, 3}, {0, 8}), (Runs{{0, 0, 3}, {3, 4, 3}})) << "and padding";
  EXPECT_EQ(runs_of({3, 2}, {0, 6, 9}, {0, 6}), (Runs{{12, 0, 6}}));
  EXPECT_EQ(runs_of({3, 2}, {0, 9, 9}, {0, 6}), (Runs{})) << "all of it is padding";
}

TEST(Slice, WhatTwoPartsHaveInCommonIsFoundOnce) {
  for (const Shape& whole : {Shape{7}, Shape{4, 6}, Shape{3, 4, 2}}) {
    const std::vector<Part> parts = parts_of(whole);
    for (const Part& a : parts) {
      const Range some = {a.shape.numel() / 3, a.shape.numel() - a.shape.numel() / 3};
      for (const Part& b : parts) {
        std::map<std::int64_t, std::int64_t> wanted, found, in_b;
        for (const auto& [in_part, in_whole] : b.elements) in_b[in_whole] = in_part;
        for (const auto& [in_part, in_whole] : a.elements) {
          if (in_part >= some.first && in_b.contains(in_whole)) wanted[in_part] = in_b[in_whole];
        }
        for (const CommonRun& run : common_runs(runs_of(a.shape, a.slice, some),
                                                runs_of(b.shape, b.slice, {0, b.shape.numel()}))) {
          for (std::int64_t i = 0; i < run.count; ++i) {
            EXPECT_FALSE(found.contains(run.a_first + i));
            found[run.a_first + i] = run.b_first + i;
          }
        }
        ASSERT_EQ(found, wanted) << a.shape.str() << " and " << b.shape.str() << " of "
                                 << whole.str();
      }
    }
  }
}

}  // namespace
}  // namespace ty::test
