// Against the public reference implementation: results, loss and every gradient of tiny random
// models of all families, for inputs as its models take them (tests/golden/families), and the way
// back into its format.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "launch/run/probe.h"
#include "models/huggingface/conversion.h"
#include "models/huggingface/model_config.h"
#include "models/huggingface/model_directory.h"
#include "models/huggingface/model_tensors.h"
#include "models/huggingface/model_writer.h"
#include "models/huggingface/stored_model.h"
#include "models/linear/svd/svd.h"
#include "models/linear/ttm/ttm.h"
#include "tests/support/messages.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tensors.h"

namespace ty::test {
namespace {

const Path kFamilies = Path(TY_GOLDEN_DIR) / "families";
constexpr double kTolerance = 1e-5;

std::vector<double> doubles_of(const View& view) {
  const auto host = make_reference_backend();
  std::vector<double> values(static_cast<std::size_t>(view.numel()));
  host->copy(contiguous_view(values.data(), DType::f64, view.shape), view);
  return values;
}

double norm_of(const std::vector<double>& a) {
  double sum = 0;
  for (double x : a) sum += x * x;
  return std::sqrt(sum);
}

double distance(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return INFINITY;
  std::vector<double> difference(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) difference[i] = a[i] - b[i];
  return norm_of(difference);
}

class GoldenFamily : public testing::TestWithParam<const char*> {
 protected:
  Path folder_ = kFamilies / GetParam();
  std::unique_ptr<Backend> backend_ = make_cpu_backend();
  TempDir temp_;

  // Rows of results that stand for tokens, not for padding.
  std::vector<bool> rows_that_count(std::int64_t rows) const {
    const TensorSet inputs = open_tensors(folder_ / "inputs.safetensors");
    std::vector<bool> all(static_cast<std::size_t>(rows), true);
    if (!inputs.contains("attention_mask")) return all;
    const View mask = inputs.view("attention_mask");
    if (mask.numel() != rows) return all;
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = mask.as<std::int64_t>()[i] == 1;
    return all;
  }
  void expect_same_results(const Tensor& ours, const View& theirs) const {
    ASSERT_EQ(ours.shape(), theirs.shape);
    std::vector<double> a = doubles(ours), b = doubles_of(theirs);
    const std::int64_t width = theirs.shape[-1];
    const std::vector<bool> counts = rows_that_count(theirs.numel() / width);
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (!counts[i / static_cast<std::size_t>(width)]) a[i] = b[i] = 0;
    }
    EXPECT_LT(distance(a, b), kTolerance * norm_of(b));
  }
};

TEST_P(GoldenFamily, ResultsLossAndEveryGradientAgree) {
  Probe probe(folder_ / "model", *backend_);
  probe.run(folder_ / "inputs.safetensors");
  const TensorSet expected = open_tensors(folder_ / "expected.safetensors");
  const bool is_bare = expected.contains("last_hidden_state");
  expect_same_results(probe.logits(), expected.view(is_bare ? "last_hidden_state" : "logits"));
  ASSERT_EQ(probe.pooled().defined(), expected.contains("pooler_output"));
  if (probe.pooled().defined()) {
    const View theirs = expected.view("pooler_output");
    ASSERT_EQ(probe.pooled().shape(), theirs.shape);
    const std::vector<double> want = doubles_of(theirs);
    EXPECT_LT(distance(doubles(probe.pooled()), want), kTolerance * norm_of(want));
  }
  EXPECT_EQ(probe.has_loss(), expected.contains("loss"));
  if (!probe.has_loss()) return;
  const double loss = doubles_of(expected.view("loss"))[0];
  EXPECT_NEAR(probe.loss(), loss, kTolerance * loss);

  probe.write_gradients(temp_ / "gradients.safetensors");
  const TensorSet ours = open_tensors(temp_ / "gradients.safetensors");
  const TensorSet theirs = open_tensors(folder_ / "gradients.safetensors");
  EXPECT_EQ(ours.names(), theirs.names());
  double largest = 0;
  for (const std::string& name : theirs.names()) {
    largest = std::max(largest, norm_of(doubles_of(theirs.view(name))));
  }
  for (const std::string& name : theirs.names()) {
    ASSERT_EQ(ours.tensor(name).shape, theirs.tensor(name).shape) << name;
    const std::vector<double> want = doubles_of(theirs.view(name));
    // Some are zero but for the rounding of larger numbers: those of biases of keys.
    const double scale = std::max(norm_of(want), 1e-2 * largest);
    EXPECT_LT(distance(doubles_of(ours.view(name)), want), kTolerance * scale) << name;
  }
}

TEST_P(GoldenFamily, WhatWeWriteHoldsTheSameTensors) {
  Probe probe(folder_ / "model", *backend_);
  const ModelSpec spec = read_model_config(folder_ / "model");
  const auto write = [&](const char* file, const std::map<std::string, std::string>& names) {
    FileWriter out(temp_ / file);
    write_parameters(out, probe.parameters(), spec, Content::weights, names);
    out.finish();
  };
  const auto as_there = names_in_directory(folder_ / "model", probe.parameters().store(), spec);
  write("there.safetensors", as_there);
  const TensorSet ours = open_tensors(temp_ / "there.safetensors");
  const TensorSet theirs = open_tensors(folder_ / "model");
  for (const std::string& name : ours.names()) {
    EXPECT_EQ(doubles_of(ours.view(name)), doubles_of(theirs.view(name))) << name;
  }
  // In our own spelling, as a directory that reads like the first.
  write("model.safetensors", {});
  std::ofstream(temp_ / "config.json") << model_spec_to_json(spec);
  const ModelSpec again = read_model_config(temp_.path());
  EXPECT_EQ(model_spec_to_json(again), model_spec_to_json(spec));
  Probe copy(temp_.path(), *backend_);
  copy.run(folder_ / "inputs.safetensors");
  probe.run(folder_ / "inputs.safetensors");
  EXPECT_EQ(doubles(copy.logits()), doubles(probe.logits()));
}

TEST_P(GoldenFamily, TheClassIsKept) {
  const nlohmann::json config =
      nlohmann::json::parse(std::ifstream(folder_ / "model" / "config.json"));
  const nlohmann::json ours = model_spec_to_json(parse_model_config(folder_ / "model"));
  for (const auto& [key, value] : config.items()) {
    if (key == "num_hidden_layers" && !ours.contains(key)) continue;  // another spelling
    EXPECT_EQ(ours.value(key, nlohmann::json()), value) << key;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenFamily,
                         testing::Values("opt_tied", "opt_projected", "opt_labels", "opt_old",
                                         "bert_masked", "bert_old", "bert_own_head", "bert_labels",
                                         "bert_value", "bert_bare", "distilbert_masked",
                                         "distilbert_labels", "bart_summary", "bart_bias",
                                         "bart_labels", "bart_bare", "vit_labels", "vit_grey",
                                         "vit_bare", "gpt2_labels"));

// Numbers of parameters of published models, of which none is allocated.
std::int64_t count(const std::string& config, const std::vector<LinearRule>& rules = {}) {
  ModelSpec spec = model_spec_from_json(nlohmann::json::parse(config), "config.json");
  spec.linear = rules;
  return count_parameters(spec);
}
const std::string kBert = R"("model_type": "bert", "vocab_size": 30522, "hidden_size": 768,
    "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072,
    "max_position_embeddings": 512)";
const std::string kBertModel = R"({"architectures": ["BertModel"], )" + kBert + "}";
const std::string kBartBase = R"({"model_type": "bart",
    "architectures": ["BartForConditionalGeneration"], "vocab_size": 50265, "d_model": 768,
    "encoder_layers": 6, "decoder_layers": 6, "encoder_attention_heads": 12,
    "decoder_attention_heads": 12, "encoder_ffn_dim": 3072, "decoder_ffn_dim": 3072,
    "max_position_embeddings": 1024})";

TEST(ParameterCounts, OfPublishedModels) {
  EXPECT_EQ(count(kBertModel), 109'482'240);
  EXPECT_EQ(count(R"({"architectures": ["BertForSequenceClassification"], )" + kBert + "}"),
            109'483'778);
  EXPECT_EQ(count(kBartBase), 139'420'416);
  EXPECT_EQ(count(R"({"model_type": "distilbert", "architectures": ["DistilBertModel"],
      "vocab_size": 30522, "dim": 768, "n_layers": 6, "n_heads": 12, "hidden_dim": 3072,
      "max_position_embeddings": 512})"),
            66'362'880);
  EXPECT_EQ(count(R"({"model_type": "opt", "architectures": ["OPTForCausalLM"],
      "vocab_size": 50272, "hidden_size": 1024, "word_embed_proj_dim": 512, "ffn_dim": 4096,
      "num_hidden_layers": 24, "num_attention_heads": 16, "max_position_embeddings": 2048,
      "do_layer_norm_before": false})"),
            331'196'416);
  // With the pooler, which is not counted there.
  EXPECT_EQ(count(R"({"model_type": "vit", "architectures": ["ViTModel"], "hidden_size": 768,
      "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072,
      "image_size": 224, "patch_size": 16})"),
            85'798'656 + 768 * 768 + 768);
}

// Both matrices of all MLPs, of encoder and decoder: cores of (8, 12) (12, 16) (8, 16) and back.
TEST(ParameterCounts, OfFactorisedModels) {
  const auto svd = [](const std::string& config, std::int64_t rank) {
    return count(config, {{"*blocks.*.mlp.*", SvdSpec{.rank = rank}}});
  };
  const auto ttm = [](const std::string& config, std::int64_t rank) {
    const TtmSpec up = {.in = {8, 12, 8}, .out = {12, 16, 16}, .rank = rank, .clip_ranks = true};
    const TtmSpec down = {.in = up.out, .out = up.in, .rank = rank, .clip_ranks = true};
    return count(config, {{"*blocks.*.mlp.up", up}, {"*blocks.*.mlp.down", down}});
  };
  EXPECT_EQ(svd(kBertModel, 6), 53'412'096);
  EXPECT_EQ(svd(kBertModel, 183), 69'724'416);
  EXPECT_EQ(svd(kBertModel, 534), 102'072'576);
  EXPECT_EQ(ttm(kBertModel, 10), 53'373'696);
  EXPECT_EQ(ttm(kBertModel, 60), 69'770'496);
  EXPECT_EQ(ttm(kBertModel, 110), 102'078'720);
  EXPECT_EQ(svd(kBartBase, 10), 83'718'912);
  EXPECT_EQ(svd(kBartBase, 210), 102'150'912);
  EXPECT_EQ(svd(kBartBase, 460), 125'190'912);
  EXPECT_EQ(ttm(kBartBase, 10), 83'311'872);
  EXPECT_EQ(ttm(kBartBase, 64), 102'015'744);
  EXPECT_EQ(ttm(kBartBase, 96), 125'780'736);
}

}  // namespace
}  // namespace ty::test
