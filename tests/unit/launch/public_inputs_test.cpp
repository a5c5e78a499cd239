// A file of the library's arguments as the columns of a batch: what is shifted, padded and cut into
// patches, and what is refused.
#include "launch/run/public_inputs.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/io/safetensors.h"
#include "tests/support/messages.h"
#include "tests/support/temp_dir.h"

namespace ty::test {
namespace {

using Ids = std::vector<std::int32_t>;

class Inputs : public testing::Test {
 protected:
  TempDir temp_;
  Path file_ = temp_ / "inputs.safetensors";
  std::map<std::string, std::pair<Shape, std::vector<std::int64_t>>> integers_;
  ModelSpec spec_ = {.context = 6, .vocab = 20};

  void write() {
    std::vector<NamedView> views;
    for (auto& [name, tensor] : integers_) {
      views.push_back({name, contiguous_view(tensor.second.data(), DType::i64, tensor.first)});
    }
    write_safetensors(file_, views);
  }
  PublicInputs read() {
    write();
    return read_public_inputs(file_, spec_);
  }
  Ids column(Column column) { return read().batch.at(column).ids; }
  // What is wrong, without the file's name.
  std::string refusal() {
    write();
    const std::string message = message_of<DataError>([&] { read_public_inputs(file_, spec_); });
    return message.substr(std::min(message.size(), file_.string().size() + 2));
  }
};

TEST_F(Inputs, LabelsOfADecoderAreShifted) {
  integers_ = {{"input_ids", {{2, 3}, {5, 6, 7, 8, 9, 1}}},
               {"attention_mask", {{2, 3}, {1, 1, 1, 1, 1, 0}}},
               {"labels", {{2, 3}, {5, 6, 7, 8, -100, -100}}}};
  EXPECT_EQ(column(Column::ids), (Ids{5, 6, 7, 8, 9, 1}));
  EXPECT_EQ(column(Column::targets), (Ids{6, 7, -1, -1, -1, -1}));
  EXPECT_TRUE(read().has_targets);
  EXPECT_FALSE(read().batch.has(Column::lengths));
}

TEST_F(Inputs, LabelsOfAMaskedModelAreNot) {
  spec_.causal = false;
  spec_.types = 2;
  integers_ = {{"input_ids", {{2, 3}, {5, 6, 7, 8, 9, 1}}},
               {"attention_mask", {{2, 3}, {1, 1, 1, 1, 1, 0}}},
               {"labels", {{2, 3}, {-100, 4, -100, 3, -100, -100}}}};
  EXPECT_EQ(column(Column::targets), (Ids{-1, 4, -1, 3, -1, -1}));
  EXPECT_EQ(column(Column::lengths), (Ids{3, 2}));
  EXPECT_EQ(column(Column::types), Ids(6, 0));
}

TEST_F(Inputs, ADecodersInputsFollowFromTheLabels) {
  spec_.encoder_layers = 1;
  spec_.public_keys = R"({"decoder_start_token_id": 2, "pad_token_id": 1})";
  integers_ = {{"input_ids", {{1, 2}, {5, 6}}}, {"labels", {{1, 4}, {7, 8, 9, -100}}}};
  EXPECT_EQ(column(Column::decoder_ids), (Ids{2, 7, 8, 9}));
  EXPECT_EQ(column(Column::targets), (Ids{7, 8, 9, -1}));
  integers_["labels"].second = {7, -100, -100, -100};
  EXPECT_EQ(column(Column::decoder_ids), (Ids{2, 7, 1, 1}));
}

TEST_F(Inputs, AnImageIsCutIntoPatchesChannelByChannel) {
  spec_.image = {.channels = 2, .size = 4, .patch = 2};
  spec_.head = {.kind = HeadSpec::Kind::labels, .labels = 3};
  std::vector<float> pixels(32);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<float>(i);
  const NamedView view = {"pixel_values", contiguous_view(pixels.data(), DType::f32, {1, 2, 4, 4})};
  write_safetensors(file_, std::span(&view, 1));
  const HostColumn patches = read_public_inputs(file_, spec_).batch.at(Column::patches);
  EXPECT_EQ(patches.row, (Shape{5, 8}));
  const std::vector<float> second(patches.numbers.begin() + 16, patches.numbers.begin() + 24);
  EXPECT_EQ(second, (std::vector<float>{2, 3, 6, 7, 18, 19, 22, 23}));
  EXPECT_EQ(patches.numbers[7], 0);
}

TEST_F(Inputs, WhatDoesNotFitIsRefusedByName) {
  integers_ = {{"input_ids", {{1, 3}, {5, 6, 20}}}};
  EXPECT_EQ(refusal(), "\"input_ids\": 20 is outside of [0, 20)");
  integers_ = {{"input_ids", {{1, 7}, {5, 6, 7, 8, 9, 1, 2}}}};
  EXPECT_EQ(refusal(), "\"input_ids\": [1, 7]; want [B, T], T at most 6");
  integers_ = {{"input_ids", {{1, 3}, {5, 6, 7}}}, {"attention_mask", {{1, 3}, {0, 1, 1}}}};
  EXPECT_EQ(refusal(),
            "\"attention_mask\": row 0 is not ones and then zeros; want padding at the end");
  integers_ = {{"input_ids", {{1, 3}, {5, 6, 7}}}, {"labels", {{1}, {5}}}};
  EXPECT_EQ(refusal(), "\"labels\": [1]; want [1, 3]");
  integers_ = {{"input_ids", {{1, 3}, {5, 6, 7}}}, {"labels", {{1, 3}, {5, -100, -100}}}};
  EXPECT_EQ(refusal(), "\"labels\": none of them counts; want one that is not -100");
  integers_ = {{"input_ids", {{1, 3}, {5, 6, 7}}}, {"position_ids", {{1, 3}, {0, 1, 2}}}};
  EXPECT_TRUE(contains(refusal(), "\"position_ids\": this model reads input_ids"));
  integers_ = {{"labels", {{1, 3}, {5, 6, 7}}}};
  EXPECT_EQ(refusal(), "\"input_ids\": missing");
}

TEST_F(Inputs, LabelsThatADecoderIsToReadAreCheckedFirst) {
  spec_.encoder_layers = 1;
  spec_.public_keys = R"({"decoder_start_token_id": 2, "pad_token_id": 1})";
  integers_ = {{"input_ids", {{1, 2}, {5, 6}}}, {"labels", {{1}, {7}}}};
  EXPECT_EQ(refusal(), "\"labels\": [1]; want [B, T], T at most 6");
  integers_["labels"] = {{1, 2}, {7, -3}};
  EXPECT_EQ(refusal(), "\"labels\": -3 is outside of [0, 20)");
}

TEST_F(Inputs, APooledTokenMustBeTheOneThatTheLibraryPools) {
  spec_.head = {.kind = HeadSpec::Kind::labels, .labels = 2, .pooling = Pooling::last};
  spec_.public_keys = R"({"pad_token_id": 1})";
  integers_ = {{"input_ids", {{2, 3}, {5, 6, 7, 8, 1, 1}}}, {"labels", {{2}, {0, 1}}}};
  EXPECT_EQ(column(Column::lengths), (Ids{3, 1}));
  integers_["attention_mask"] = {{2, 3}, {1, 1, 0, 1, 0, 0}};
  EXPECT_EQ(refusal(),
            "\"attention_mask\": row 0 ends after 2 tokens, but the last one that is not "
            "pad_token_id is number 3");
}

}  // namespace
}  // namespace ty::test
