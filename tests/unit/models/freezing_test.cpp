// Which parameters of a model are trained, and which of its blocks take part in backward.
#include "models/transformer/freezing.h"

#include <gtest/gtest.h>

#include "models/transformer/model.h"
#include "models/transformer/spec.h"

namespace ty::test {
namespace {

constexpr std::size_t kHead = 4;  // embeddings, blocks.0, .1, .2, head

std::size_t first_trained(const std::vector<std::string>& patterns, bool tied = false) {
  const ModelSpec spec = {
      .layers = 3, .width = 8, .heads = 2, .context = 4, .vocab = 5, .tied = tied};
  const ModelDescription description = describe_model(spec);
  Model model(description, LinearRules());
  freeze_others(model.parameters(), TrainedParameters({.freeze = patterns}, model.parameters()));
  return first_trained_block(description, model.parameters());
}

TEST(Freezing, NeedsNoBackwardBeforeTheFirstBlockThatIsTrained) {
  EXPECT_EQ(first_trained({}), 0u);
  EXPECT_EQ(first_trained({"blocks.*"}), 0u);
  EXPECT_EQ(first_trained({"embeddings.token.*"}), 0u) << "positions are trained";
  EXPECT_EQ(first_trained({"embeddings.*"}), 1u);
  EXPECT_EQ(first_trained({"embeddings.*", "blocks.{0..1}.*"}), 3u);
  EXPECT_EQ(first_trained({"embeddings.*", "blocks.0.*", "blocks.2.*"}), 2u);
  EXPECT_EQ(first_trained({"embeddings.*", "blocks.*"}), kHead);
  EXPECT_EQ(first_trained({"*"}), kHead + 1);
}

TEST(Freezing, CountsATableWhereItIsDeclared) {
  EXPECT_EQ(first_trained({"embeddings.position.*", "blocks.*", "head.*"}, true), 0u);
  EXPECT_EQ(first_trained({"embeddings.*", "blocks.*"}, true), kHead);
}

TEST(Freezing, AsksOnlyTheChunksAfterItForAGradient) {
  const ModelSpec spec = {.layers = 4, .width = 8, .heads = 2, .context = 4, .vocab = 5};
  const Partition cut = {.stages = 2, .ranges = {{0, 2}, {2, 3}, {3, 4}, {4, 6}}};
  Model model(describe_model(spec), LinearRules(), {}, cut, 0);  // blocks 0, 1 and 3
  EXPECT_TRUE(model.has_backward(0) && model.has_backward(1));
  EXPECT_FALSE(model.sends_back(0));
  EXPECT_TRUE(model.sends_back(1));
  model.set_first_trained(3);
  EXPECT_FALSE(model.has_backward(0));
  EXPECT_TRUE(model.has_backward(1));
  EXPECT_FALSE(model.sends_back(1));
  model.set_first_trained(4);
  EXPECT_FALSE(model.has_backward(1));
}

}  // namespace
}  // namespace ty::test
