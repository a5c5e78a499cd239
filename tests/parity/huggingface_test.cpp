// Against the public reference implementation: logits, loss and every gradient of tiny random
// models that it made (tests/golden/gpt2/make_gpt2.py), and the way back into its format.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "launch/run/probe.h"
#include "models/huggingface/model_config.h"
#include "models/huggingface/model_directory.h"
#include "models/huggingface/model_tensors.h"
#include "models/huggingface/model_writer.h"
#include "tests/support/messages.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tensors.h"

namespace ty::test {
namespace {

std::vector<double> doubles_of(const View& view) {
  const auto host = make_reference_backend();
  std::vector<double> values(static_cast<std::size_t>(view.numel()));
  host->copy(contiguous_view(values.data(), DType::f64, view.shape), view);
  return values;
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  double worst = a.size() == b.size() ? 0 : INFINITY;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    worst = std::max(worst, std::abs(a[i] - b[i]));
  }
  return worst;
}

double relative_error(const std::vector<double>& a, const std::vector<double>& b) {
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    norm += b[i] * b[i];
  }
  return std::sqrt(difference / norm);
}

class Golden : public testing::TestWithParam<const char*> {
 protected:
  Path folder_ = Path(TY_GOLDEN_DIR) / "gpt2" / GetParam();
  std::unique_ptr<Backend> backend_ = make_cpu_backend();

  std::vector<std::int32_t> tokens() const {
    const TensorSet expected = open_tensors(folder_ / "expected.safetensors");
    const View view = expected.view("tokens");
    const auto* first = view.as<std::int64_t>();
    return {first, first + view.numel()};
  }
};

TEST_P(Golden, LogitsLossAndEveryGradientAgree) {
  Probe probe(folder_ / "model", *backend_);
  probe.run(tokens());
  const TensorSet expected = open_tensors(folder_ / "expected.safetensors");
  EXPECT_LT(largest_difference(doubles(probe.logits()), doubles_of(expected.view("logits"))), 1e-4);
  EXPECT_NEAR(probe.loss(), doubles_of(expected.view("loss"))[0], 1e-4);

  const TempDir temp;
  probe.write_gradients(temp.path() / "gradients.safetensors");
  probe.write_logits(temp.path() / "logits.safetensors");
  const TensorSet ours = open_tensors(temp.path() / "gradients.safetensors");
  const TensorSet theirs = open_tensors(folder_ / "gradients.safetensors");
  EXPECT_EQ(ours.names(), theirs.names());
  for (const std::string& name : theirs.names()) {
    ASSERT_EQ(ours.tensor(name).shape, theirs.tensor(name).shape) << name;
    EXPECT_LT(relative_error(doubles_of(ours.view(name)), doubles_of(theirs.view(name))), 1e-4)
        << name;
  }
  EXPECT_EQ(doubles_of(open_tensors(temp.path() / "logits.safetensors").view("logits")),
            doubles(probe.logits()));
}

TEST_P(Golden, WhatWeWriteHoldsTheSameTensors) {
  Probe probe(folder_ / "model", *backend_);
  const ModelSpec config = read_model_config(folder_ / "model");
  const TempDir temp;
  FileWriter out(temp.path() / "model.safetensors");
  write_parameters(out, probe.parameters(), config, Content::weights,
                   names_in_directory(folder_ / "model", probe.parameters().store(), config));
  out.finish();
  const TensorSet ours = open_tensors(temp.path() / "model.safetensors");
  const TensorSet theirs = open_tensors(folder_ / "model");
  for (const std::string& name : ours.names()) {
    EXPECT_EQ(doubles_of(ours.view(name)), doubles_of(theirs.view(name))) << name;
  }
  const ModelSpec again = model_spec_from_json(model_spec_to_json(config), "config.json");
  EXPECT_EQ(model_spec_to_json(again), model_spec_to_json(config));
}

INSTANTIATE_TEST_SUITE_P(Models, Golden,
                         testing::Values("tied_gelu_new", "untied_gelu", "old_relu", "sharded",
                                         "depth_silu", "unscaled_quick_gelu", "upcast_gelu_fast",
                                         "own_head_tanh", "head_only"));

// A copy of a golden directory that a test spoils.
class SpoiledDirectory : public testing::Test {
 protected:
  TempDir temp_;
  Path directory_ = temp_ / "m";

  void SetUp() override {
    std::filesystem::copy(Path(TY_GOLDEN_DIR) / "gpt2" / "tied_gelu_new" / "model", directory_);
  }
  // What reading says when a text in a file is another one, of the same length.
  std::string refusal(const char* file, const std::string& text, const std::string& other) {
    std::string content = read_text_file(directory_ / file, 1 << 24);
    const std::size_t at = content.find(text);
    EXPECT_NE(at, std::string::npos) << text;
    content.replace(at, text.size(), other);
    std::ofstream(directory_ / file, std::ios::binary) << content;
    const std::string message = message_of<DataError>([&] { read_model_config(directory_); });
    return message.substr(directory_.string().size() + 1);
  }
};

TEST_F(SpoiledDirectory, SizesAreComparedWithTheTensorsBeforeAnythingIsAllocated) {
  EXPECT_EQ(refusal("config.json", "\"n_embd\": 24", "\"n_embd\": 999999"),
            "config.json: n_embd: 999999, but transformer.wpe.weight is [17, 24]; want 24");
}
TEST_F(SpoiledDirectory, AVocabularyBeyondTheTableIsNamed) {
  EXPECT_EQ(refusal("config.json", "\"vocab_size\": 61", "\"vocab_size\": 2000000000"),
            "config.json: vocab_size: 2000000000, but transformer.wte.weight is [61, 24]; want 61");
}
TEST_F(SpoiledDirectory, AnInnerWidthThatIsNotStatedIsFourTimesTheWidth) {
  EXPECT_EQ(refusal("config.json", "\"n_inner\": null", "\"n_inner\": 95"),
            "config.json: n_inner: 95, but transformer.h.0.mlp.c_fc.bias is [96]; want 96");
}
TEST_F(SpoiledDirectory, WeightsAreNoIntegers) {
  EXPECT_EQ(refusal("model.safetensors", "\"transformer.h.0.attn.c_attn.bias\":{\"dtype\":\"F32\"",
                    "\"transformer.h.0.attn.c_attn.bias\":{\"dtype\":\"I32\""),
            "model.safetensors: transformer.h.0.attn.c_attn.bias: numbers are I32; want F32, BF16, "
            "F16 or F64");
}

TEST(ModelDirectory, AMismatchListsTensorsAndBothShapes) {
  const auto backend = make_reference_backend();
  const Path directory = Path(TY_GOLDEN_DIR) / "gpt2" / "tied_gelu_new" / "model";
  ModelSpec config = read_model_config(directory);
  config.layers += 1;
  config.vocab += 1;
  const OpenedModel declared = declare_model(config, *backend, only_run());
  try {
    load_weights(directory, *declared.parameters, config);
    FAIL();
  } catch (const DataError& e) {
    const std::string text = e.what();
    EXPECT_NE(text.find("transformer.wte.weight: file [61, 24] != config [62, 24]"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("transformer.h.2.ln_1.weight: missing, wanted [24]"), std::string::npos)
        << text;
    EXPECT_NE(text.find("more"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace ty::test
