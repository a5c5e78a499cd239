// A checkpoint of any layout goes on in any other.
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <map>

#include "core/base/error.h"
#include "core/io/safetensors.h"
#include "launch/run/optimizer_state.h"
#include "models/huggingface/host_tensor.h"
#include "models/huggingface/model_tensors.h"
#include "models/huggingface/model_writer.h"
#include "parallel/comm/threads/threads.h"
#include "tests/parity/cut_model.h"
#include "tests/support/messages.h"
#include "tests/support/temp_dir.h"

namespace ty::test {
namespace {

bool any(const Parameter&) { return true; }
bool none(const Parameter&) { return false; }

class CheckpointLayouts : public testing::Test {
 protected:
  TempDir temp_;
  ModelSpec spec_ = tiny(true);
  FlatOptions options_ = {};

  void on_ranks(const Layout& layout, const std::function<void(Rank&)>& work) {
    run_ranks(layout.ranks(), [&](const Group& world) {
      Rank rank(world, layout, spec_, options_);
      work(rank);
    });
  }
  void save_random(const Layout& layout, const std::string& name) {
    std::filesystem::create_directory(temp_ / name);
    on_ranks(layout, [&](Rank& rank) {
      rank.fill_random(5.0);
      rank.save(temp_ / name);
    });
  }
  void go_on(const Layout& layout, const std::string& from, const std::string& to) {
    std::filesystem::create_directory(temp_ / to);
    on_ranks(layout, [&](Rank& rank) {
      rank.restore(temp_ / from);
      rank.save(temp_ / to);
    });
  }
  Path step(const std::string& name) const { return temp_ / name / "step-1"; }
  // The content of all files of a checkpoint.
  std::map<std::string, std::string> files(const std::string& name) const {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(step(name))) {
      files[entry.path().filename().string()] = read_text_file(entry.path(), 1 << 24);
    }
    return files;
  }
  // The names of the moments of a checkpoint, and how many numbers they hold.
  std::map<std::string, std::int64_t> moments(const std::string& name) const {
    std::map<std::string, std::int64_t> moments;
    for (const auto& [file, content] : files(name)) {
      if (!file.starts_with("optimizer-")) continue;
      const SafetensorsFile opened(step(name) / file);
      for (const StoredTensor& tensor : opened.tensors()) {
        EXPECT_FALSE(moments.contains(tensor.name)) << tensor.name << " is there twice";
        moments[tensor.name] = tensor.shape.numel();
      }
    }
    return moments;
  }
  // Saved at every layout, on at every other and back again: the same files.
  void expect_equal_everywhere(const std::vector<Layout>& layouts) {
    save_random({}, "one");
    const std::string model = files("one")["model.safetensors"];
    for (const Layout& a : layouts) {
      const std::string start = "start " + name_of(a);
      save_random(a, start);
      EXPECT_TRUE(files(start)["model.safetensors"] == model) << name_of(a);
      for (const Layout& b : layouts) {
        const std::string there = start + " " + name_of(b), back = there + " back";
        go_on(b, start, there);
        EXPECT_TRUE(files(there)["model.safetensors"] == model) << there;
        go_on(a, there, back);
        EXPECT_TRUE(files(back) == files(start)) << back;
      }
    }
  }
};

TEST_F(CheckpointLayouts, ACheckpointGoesToEveryOtherLayoutAndBackBitByBit) {
  expect_equal_everywhere({{1, 1}, {2, 1, true}, {1, 3}, {1, 4}, {2, 2}, {2, 2, true}});
}

TEST_F(CheckpointLayouts, SoDoesAModelWithAHeadOfItsOwn) {
  spec_ = tiny(false);
  expect_equal_everywhere({{3, 1}, {2, 3, true}, {2, 4, true}, {4, 2, true}});
}

TEST_F(CheckpointLayouts, SoDoMasterWeightsOfModelsIn16Bits) {
  options_ = {.compute = DType::bf16, .weights = DType::f32};
  expect_equal_everywhere({{1, 1}, {2, 2, true}, {1, 4}});
}

TEST_F(CheckpointLayouts, EveryMomentIsStoredOnce) {
  std::int64_t trained = 0;
  on_ranks({}, [&](Rank& rank) {
    for (const Parameter& parameter : rank.store.all()) {
      trained += parameter.trainable ? parameter.shape.numel() : 0;
    }
  });
  for (const Layout& layout : {Layout{1, 1}, Layout{2, 2}, Layout{2, 4, true}, Layout{3, 3}}) {
    save_random(layout, name_of(layout));
    std::int64_t stored = 0;
    for (const auto& [name, count] : moments(name_of(layout))) stored += count;
    EXPECT_EQ(stored, 2 * trained) << name_of(layout);
  }
}

TEST_F(CheckpointLayouts, MomentsSayWhereTheirPartLies) {
  save_random({1, 1}, "one");
  const auto one = moments("one");
  EXPECT_EQ(one.at("exp_avg|blocks.0.mlp.up.weight|0"), 12 * 48);
  EXPECT_EQ(one.at("exp_avg_sq|embeddings.token.weight|0"), 9 * 12);
  save_random({1, 4}, "four");
  const auto four = moments("four");
  EXPECT_EQ(four.at("exp_avg|blocks.0.mlp.up.weight|1:12+12/48|0"), 12 * 12);
  EXPECT_EQ(four.at("exp_avg|blocks.0.norm1.weight|0"), 12);
  EXPECT_EQ(four.at("exp_avg|embeddings.token.weight|0:6+3/9|0"), 3 * 12);
  EXPECT_FALSE(four.contains("exp_avg|embeddings.token.weight|0:9+0/9|0")) << "all padding";
  const Manifest manifest = read_manifest({1, step("four")});
  EXPECT_EQ(manifest.fields.at("ranks"), 4);
  EXPECT_EQ(manifest.fields.at("layout").dump(), R"({"data":1,"pipeline":1,"tensor":4})");
}

// What reading moments that are stored under this name says.
TEST_F(CheckpointLayouts, MomentsThatCannotBeAreRefused) {
  const auto refusal = [&](const std::string& name, const Shape& shape) {
    const Path directory = temp_.path();
    const HostTensor values(DType::f32, shape);
    write_safetensors(directory / "optimizer-0.safetensors",
                      std::vector<NamedView>{{name, values.view}});
    const Manifest manifest{.run_id = "", .files = {{"optimizer-0.safetensors", {}}}};
    std::string text;
    on_ranks({}, [&](Rank& rank) {
      text = message_of<DataError>(
          [&] { read_optimizer(directory, manifest, any, *rank.flat, *rank.optimizer); });
    });
    EXPECT_TRUE(contains(text, fmt::format("optimizer-0.safetensors: \"{}\": ", name)));
    return text;
  };
  for (const std::string bad :
       {"exp_avg", "exp_avg|0", "exp_avg|x|", "exp_avg|x|-1", "exp_avg|x|0x", "exp_avg|x|0:0+1|0",
        "exp_avg|x|0:0+1/2/3|0", "exp_avg|x|0:-1+1/2|0", "exp_avg|x|99:0+1/2|0",
        "exp_avg|x|0:0+1/2|0|0"}) {
    EXPECT_TRUE(contains(refusal(bad, {1}), "not the name of an optimizer tensor"));
  }
  const std::string table = "exp_avg|embeddings.token.weight|";
  EXPECT_TRUE(contains(refusal(table + "2:0+1/12|0", {1}), "is [9, 12], not cut like that"));
  EXPECT_TRUE(contains(refusal(table + "0:0+1/8|0", {1}), "is [9, 12], not cut like that"));
  EXPECT_TRUE(contains(refusal(table + "0:6+4/9|0", {1}), "6 + 4 is beyond 9 of"));
  EXPECT_TRUE(contains(refusal(table + "0:9223372036854775807+1/9|0", {1}), "is beyond 9 of"));
  EXPECT_TRUE(contains(refusal(table + "0:6+3/9|30", {7}), "7 elements from 30 on, but there are"));
  EXPECT_TRUE(contains(refusal(table + "9223372036854775807", {7}), "but there are 108 of"));
}

TEST_F(CheckpointLayouts, MissingMomentsAreRefusedUnlessTheyMayDiffer) {
  save_random({1, 2}, "two");
  Manifest manifest = read_manifest({1, step("two")});
  std::erase_if(manifest.files,
                [](const FileRecord& file) { return file.name == "optimizer-1.safetensors"; });
  on_ranks({}, [&](Rank& rank) {
    rank.fill_garbage();
    const std::string text = message_of<DataError>(
        [&] { read_optimizer(step("two"), manifest, none, *rank.flat, *rank.optimizer); });
    EXPECT_TRUE(contains(text, "exp_avg|embeddings.token.weight: 60 of 108 elements")) << text;
    read_optimizer(step("two"), manifest, any, *rank.flat, *rank.optimizer);
    EXPECT_EQ(rank.optimizer->first_non_finite_state(), "");
  });
}

// The whole's shapes and numbers are compared, not the part's.
TEST_F(CheckpointLayouts, FilesThatDoNotFitAreRefusedByEveryTensorRank) {
  save_random({1, 2}, "two");
  spec_.vocab = 10;
  on_ranks({1, 2}, [&](Rank& rank) {
    const std::string text =
        message_of<DataError>([&] { load_weights(step("two"), *rank.flat, rank.spec); });
    EXPECT_TRUE(contains(text, "transformer.wte.weight: file [9, 12] != config [10, 12]"));
  });
  on_ranks({1, 2}, [&](Rank& rank) {
    rank.fill_random(0.0);
    if (rank.mesh.tensor().rank() == 1) {
      rank.backend->fill(rank.store.find("blocks.1.mlp.up.weight")->value.view(), NAN);
    }
    with_whole_parameters(*rank.flat, Content::weights, rank.mesh.tensor(), [&](auto parameters) {
      FileWriter out(temp_ / "model.safetensors");
      write_parameters(out, parameters, rank.spec);
      out.finish();
    });
    rank.mesh.tensor().barrier();
    const std::string text =
        message_of<NonFiniteError>([&] { load_weights(temp_.path(), *rank.flat, rank.spec); });
    EXPECT_TRUE(contains(text, "model.safetensors: transformer.h.1.mlp.c_fc.weight: holds"));
  });
}

TEST_F(CheckpointLayouts, AWriterThatFailsLetsTheOthersGo) {
  std::atomic<int> ended = 0;
  on_ranks({1, 3}, [&](Rank& rank) {
    rank.fill_random(0.0);
    const auto fail_at_the_third = [](std::span<const OutgoingParameter> parameters) {
      for (std::size_t i = 0; i < 3; ++i) {
        const HostTensor whole(parameters[i].dtype, parameters[i].shape);
        parameters[i].fill(whole.view);
      }
      throw IoError("disk full");
    };
    const auto gather = [&] {
      with_whole_parameters(*rank.flat, Content::weights, rank.mesh.tensor(), fail_at_the_third);
    };
    if (rank.mesh.tensor().rank() == 0) {
      EXPECT_EQ(message_of<IoError>(gather), "disk full");
    } else {
      gather();
    }
    rank.mesh.tensor().barrier();
    ++ended;
  });
  EXPECT_EQ(ended, 3);
}

}  // namespace
}  // namespace ty::test
