// Which blocks each stage gets where a job names a measured profile.
#include "launch/run/stages.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "launch/run/model_setup.h"
#include "launch/run/profile.h"
#include "tests/support/messages.h"
#include "tests/support/temp_dir.h"

namespace ty::test {
namespace {

class MeasuredStages : public testing::Test {
 protected:
  // A profile of the blocks of a model of four layers, with these seconds.
  std::string profile(const std::vector<double>& seconds,
                      const std::string& second = "blocks.0") const {
    Profile profile;
    profile.tokens = 1.0;
    const std::vector<std::string> names = {"embeddings", second,     "blocks.1",
                                            "blocks.2",   "blocks.3", "head"};
    for (std::size_t i = 0; i < seconds.size(); ++i) {
      profile.blocks.push_back(
          {names[i], {.forward = seconds[i] / 3, .recompute = 9, .backward = seconds[i] * 2 / 3}});
    }
    const std::string file = (temp_ / "profile.json").string();
    std::ofstream(file) << to_json(profile);
    return file;
  }
  Partition partition(const std::string& file) const {
    const JobConfig job = load_job("", {"model={layers: 4, width: 16, heads: 2, vocab: 20}",
                                        "parallel={pipeline: 2, profile: " + file + "}"});
    return partition_of(job, planned_model(job), 2);
  }
  TempDir temp_;
};

TEST_F(MeasuredStages, BlocksAreDealtOutByWhatTheyTook) {
  const Partition early = partition(profile({1, 9, 1, 1, 1, 1}));
  EXPECT_EQ(early.ranges, (std::vector<BlockRange>{{0, 2}, {2, 6}}));
  const Partition late = partition(profile({1, 1, 1, 1, 1, 9}));
  EXPECT_EQ(late.ranges, (std::vector<BlockRange>{{0, 5}, {5, 6}}));
}

TEST_F(MeasuredStages, AProfileOfAnotherModelIsRefused) {
  const auto message = [&](const std::string& file) {
    return message_of<Error>([&] { partition(file); });
  };
  EXPECT_NE(message(profile({1, 1, 1, 1, 1})).find("block 5 is none, but the model's is head"),
            std::string::npos);
  EXPECT_NE(message(profile({1, 1, 1, 1, 1, 1}, "encoder.blocks.0"))
                .find("block 1 is encoder.blocks.0, but the model's is blocks.0"),
            std::string::npos);
}

}  // namespace
}  // namespace ty::test
