#include "core/data/batch.h"

#include <gtest/gtest.h>

namespace ty::test {
namespace {

TEST(Batch, HoldsEachExampleTwiceSideBySide) {
  const HostBatch one = token_batch(10, 3, {1, 2, 3, 4, 5, 6}, {2, 3, 4, 5, 6, 7});
  const HostBatch both = twice(one);
  EXPECT_EQ(both.first_sample, 20);
  EXPECT_EQ(both.sequences, 6);
  EXPECT_EQ(both.copies, 2);
  EXPECT_EQ(both.at(Column::ids).row, (Shape{2}));
  EXPECT_EQ(both.at(Column::ids).ids,
            (std::vector<std::int32_t>{1, 2, 1, 2, 3, 4, 3, 4, 5, 6, 5, 6}));
}

TEST(Batch, HoldsNumbersAndRowsOfOneTwiceToo) {
  HostBatch one = {.sequences = 2};
  one.columns[Column::values] = {{}, {}, {0.5F, 1.5F}};
  one.columns[Column::patches] = {{1, 2}, {}, {1, 2, 3, 4}};
  const HostBatch both = twice(one);
  EXPECT_EQ(both.at(Column::values).numbers, (std::vector<float>{0.5F, 0.5F, 1.5F, 1.5F}));
  EXPECT_EQ(both.at(Column::patches).numbers, (std::vector<float>{1, 2, 1, 2, 3, 4, 3, 4}));
}

}  // namespace
}  // namespace ty::test
