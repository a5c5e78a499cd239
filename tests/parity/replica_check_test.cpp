// Ranks that share weights hold the same bits, and it is found if they do not.
#include "parallel/data/replica_check.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "parallel/comm/threads/threads.h"
#include "tests/parity/tiny_training.h"

namespace ty::test {
namespace {

struct Case {
  std::string name;
  config::Overrides more = {};

  friend std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }
};

class Replicas : public testing::TestWithParam<Case> {};

TEST_P(Replicas, AreEqualAfterEveryStep) {
  run_ranks(4, [](const Group& world) {
    TinyRank rank(tiny_job(2, 2, GetParam().more), world);
    const bool is_sharded = rank.job.parallel.zero == 1;
    for (std::int64_t step = 0; step < 10; ++step) {
      rank.take_step(step);
      check_replicas(*rank.setup.model.parameters, rank.layout.mesh, is_sharded, step + 1);
    }
  });
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, Replicas,
    testing::ValuesIn(std::vector<Case>{
        {"dense"},
        {"rows_dropout", {"parallel.sequence=true", "model.dropout=0.2"}},
        {"bf16", {"precision.compute=bf16"}},
        {"fp16_zero", {"precision.compute=fp16", "parallel.zero=1"}},
        {"rounded", {"precision={compute: bf16, weights: bf16}"}},
        {"factorised",
         {"linear=[{match: \"*.mlp.up\", kind: svd, rank: 6}, {match: \"*.attn.qkv\", kind: ttm, "
          "in: [12, 2], out: [12, 6], rank: 4}, {match: \"*.attn.out\", kind: ttm, in: [3, 8], "
          "out: [3, 8], rank: 3}]"}}}),
    [](const auto& test) { return test.param.name; });

// What all ranks of a job say, alike, after `plant` has changed something on one of them.
template <typename Plant>
std::string found(int data, int tensor, const config::Overrides& more, Plant plant) {
  std::vector<std::string> texts(static_cast<std::size_t>(data * tensor));
  run_ranks(data * tensor, [&](const Group& world) {
    TinyRank rank(tiny_job(data, tensor, more), world);
    rank.take_step(0);
    plant(world.rank(), *rank.setup.model.parameters);
    try {
      check_replicas(*rank.setup.model.parameters, rank.layout.mesh, false, 1);
    } catch (const InternalError& e) {
      texts[static_cast<std::size_t>(world.rank())] = e.what();
    }
  });
  for (const std::string& text : texts) EXPECT_EQ(text, texts[0]);
  return texts[0];
}

// Moves the first number of a weight by one part in a million.
void nudge(FlatParameters& parameters, const std::string& name) {
  const auto& all = parameters.store().all();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].name != name) continue;
    const View weight = parameters.weight_of(i).view();
    const View first = contiguous_view(weight.data, weight.dtype, {weight.numel()}).slice(0, 0, 1);
    parameters.backend().axpby(first, 1.000001, first, 0.0);
  }
}

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(ReplicaCheck, NamesTheWeightTheStepAndTheRanksThatDiffer) {
  const std::string cut = found(2, 2, {}, [](int rank, FlatParameters& parameters) {
    if (rank == 3) nudge(parameters, "blocks.1.mlp.up.weight");
  });
  EXPECT_TRUE(says(cut, "after step 1: weight blocks.1.mlp.up.weight is not the same")) << cut;
  EXPECT_TRUE(says(cut, " on rank 1, ")) << cut;
  EXPECT_TRUE(says(cut, " on rank 3; ")) << cut;
  const std::string odd = found(3, 1, {"data.batch=9"}, [](int rank, FlatParameters& parameters) {
    if (rank == 1) nudge(parameters, "blocks.0.norm1.weight");
  });
  EXPECT_TRUE(says(odd, "weight blocks.0.norm1.weight is")) << odd;
  EXPECT_TRUE(says(odd, " on ranks 0 and 2, ")) << odd;
  EXPECT_TRUE(says(odd, " on rank 1; ")) << odd;
}

TEST(ReplicaCheck, NamesTheFirstOfSeveral) {
  const std::string text = found(2, 2, {}, [](int rank, FlatParameters& parameters) {
    if (rank == 1) nudge(parameters, "blocks.1.norm1.weight");
    if (rank == 2) nudge(parameters, "blocks.0.norm2.weight");
  });
  EXPECT_TRUE(says(text, "weight blocks.0.norm2.weight is")) << text;
}

TEST(ReplicaCheck, ComparesAlongTheTensorAxisWhatIsNotCut) {
  const std::string whole = found(1, 2, {}, [](int rank, FlatParameters& parameters) {
    if (rank == 1) nudge(parameters, "blocks.0.norm1.bias");
  });
  EXPECT_TRUE(says(whole, "blocks.0.norm1.bias")) << whole;
  const std::string cut = found(1, 2, {}, [](int rank, FlatParameters& parameters) {
    if (rank == 1) nudge(parameters, "blocks.0.mlp.up.weight");
  });
  EXPECT_EQ(cut, "");
}

TEST(ReplicaCheck, SeesWeightsWhoseCopyForTheModelStillAgrees) {
  const std::string text =
      found(2, 1, {"precision.compute=bf16"}, [](int rank, FlatParameters& parameters) {
        if (rank == 1) nudge(parameters, "blocks.0.mlp.up.weight");
      });
  EXPECT_TRUE(says(text, "blocks.0.mlp.up.weight")) << text;
}

}  // namespace
}  // namespace ty::test
