#include "core/base/suggest.h"

#include <gtest/gtest.h>

namespace ty {
namespace {

const std::vector<std::string> kKinds{"dense", "svd", "ttm", "lora"};

TEST(Suggest, FindsSwappedDroppedAndChangedCharacters) {
  EXPECT_EQ(did_you_mean("tmt", kKinds), " (did you mean \"ttm\"?)");
  EXPECT_EQ(did_you_mean("dens", kKinds), " (did you mean \"dense\"?)");
  EXPECT_EQ(did_you_mean("svf", kKinds), " (did you mean \"svd\"?)");
}

TEST(Suggest, IsSilentWhenNothingIsNear) {
  EXPECT_EQ(did_you_mean("quantized", kKinds), "");
  EXPECT_EQ(did_you_mean("x", {}), "");
}

TEST(Suggest, ClosestComesFirstAndTheListIsBounded) {
  const std::vector<std::string> names{"h.0.attn.bias", "h.0.attn.weigth", "h.1.attn.weight",
                                       "h.2.attn.weight", "h.3.attn.weight"};
  const auto near = near_names("h.1.attn.weigth", names);
  ASSERT_EQ(near.size(), 3u);
  EXPECT_EQ(near[0], "h.0.attn.weigth");
  EXPECT_EQ(near[1], "h.1.attn.weight");
}

}  // namespace
}  // namespace ty
