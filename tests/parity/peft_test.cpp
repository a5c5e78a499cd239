// Adapters of the public peft library (tests/golden/peft): its results with ours, and the way back
// into its format.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "core/base/error.h"
#include "core/base/glob.h"
#include "launch/run/probe.h"
#include "models/huggingface/conversion.h"
#include "models/huggingface/peft/peft_config.h"
#include "models/huggingface/peft/peft_reader.h"
#include "models/huggingface/peft/peft_writer.h"
#include "models/huggingface/stored_model.h"
#include "models/linear/adapters.h"
#include "models/transformer/freezing.h"
#include "tests/support/messages.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tensors.h"

namespace ty::test {
namespace {

const Path kGolden = TY_GOLDEN_DIR;

struct Golden {
  const char* name;
  const char* base;
  bool comes_back;  // to the very tensors: no part is filled with zeros on the way
  std::vector<std::string> whole = {};  // patterns of what was trained besides
};
std::vector<Golden> goldens() {
  return {{"bert_q_v", "bert_labels", true, {"head.labels.*"}},
          {"bert_uneven", "bert_labels", false, {"head.labels.*", "*.bias"}},
          {"bert_new_head", "bert_bare", true, {"head.labels.*"}},
          {"bert_dora", "bert_labels", true, {"head.labels.*"}},
          {"gpt2_all", "gpt2_labels", true, {"head.labels.*"}},
          {"gpt2_dora", "gpt2_labels", true, {"head.labels.*"}},
          {"opt_q_v", "opt_tied", true},
          {"bart_q_v", "bart_summary", false}};
}

class GoldenAdapters : public testing::TestWithParam<Golden> {
 protected:
  Path folder_ = kGolden / "peft" / GetParam().name;
  Path family_ = kGolden / "families" / GetParam().base;
  std::unique_ptr<Backend> backend_ = make_cpu_backend();
  StoredModel base_ = StoredModel(family_ / "model");
  TempDir temp_;

  void import(const Path& adapters, const char* to) {
    write_converted(base_, with_peft_adapters(base_, adapters), temp_ / to);
  }
  void export_adapters(const char* from, const char* to) {
    const StoredModel model(temp_ / from);
    PeftOptions options = {.base_name = "base"};
    for (const Parameter& parameter : model.parameters().all()) {
      if (is_adapter(parameter.name) || matches_any(GetParam().whole, parameter.name)) {
        options.trained.insert(parameter.name);
      }
    }
    write_peft(model, options, temp_ / to);
  }
  std::vector<double> logits_of(const Path& model) {
    Probe probe(model, *backend_);
    probe.run(family_ / "inputs.safetensors");
    return doubles(probe.logits());
  }
  // Rows that stand for padding are left out: they mean nothing.
  double distance(const std::vector<double>& a, const std::vector<double>& b) {
    EXPECT_EQ(a.size(), b.size());
    const TensorSet inputs = open_tensors(family_ / "inputs.safetensors");
    const View mask = inputs.view("attention_mask");
    const std::size_t rows = a.size() % static_cast<std::size_t>(mask.numel()) == 0 &&
                                     base_.spec().head.kind == HeadSpec::Kind::language &&
                                     !base_.spec().has_encoder()
                                 ? static_cast<std::size_t>(mask.numel())
                                 : 0;
    double worst = 0;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
      if (rows != 0 && mask.as<std::int64_t>()[i / (a.size() / rows)] == 0) continue;
      worst = std::max(worst, std::abs(a[i] - b[i]));
    }
    return worst;
  }
};

std::vector<double> doubles_of(const View& view) {
  std::vector<double> values(static_cast<std::size_t>(view.numel()));
  make_reference_backend()->copy(contiguous_view(values.data(), DType::f64, view.shape), view);
  return values;
}

TEST_P(GoldenAdapters, GiveTheLibrarysResults) {
  import(folder_, "model");
  const TensorSet expected = open_tensors(folder_ / "expected.safetensors");
  EXPECT_LT(distance(logits_of(temp_ / "model"), doubles_of(expected.view("logits"))), 1e-5);
  // So they do once they are added into the weights.
  const StoredModel adapted(temp_ / "model");
  write_converted(adapted, to_dense(adapted), temp_ / "dense");
  EXPECT_LT(distance(logits_of(temp_ / "dense"), doubles_of(expected.view("logits"))), 1e-5);
}

TEST_P(GoldenAdapters, AreWrittenAsTheyWereRead) {
  import(folder_, "model");
  export_adapters("model", "adapters");
  import(temp_ / "adapters", "again");
  EXPECT_LT(distance(logits_of(temp_ / "again"), logits_of(temp_ / "model")), 1e-6);
  if (!GetParam().comes_back) return;
  const TensorSet theirs = open_tensors(folder_ / kPeftTensorsName);
  const TensorSet ours = open_tensors(temp_ / "adapters" / kPeftTensorsName);
  ASSERT_EQ(ours.names(), theirs.names());
  for (const std::string& name : theirs.names()) {
    EXPECT_EQ(ours.tensor(name).shape, theirs.tensor(name).shape) << name;
    EXPECT_EQ(doubles_of(ours.view(name)), doubles_of(theirs.view(name))) << name;
  }
  const PeftConfig was = read_peft_config(folder_), is = read_peft_config(temp_ / "adapters");
  for (const std::string& name : theirs.names()) {
    if (!name.ends_with(".lora_A.weight")) continue;
    const std::string module = name.substr(17, name.size() - 17 - 14);
    EXPECT_EQ(is.rank_of(module), was.rank_of(module)) << module;
    EXPECT_DOUBLE_EQ(is.scale_of(module), was.scale_of(module)) << module;
  }
}

INSTANTIATE_TEST_SUITE_P(Library, GoldenAdapters, testing::ValuesIn(goldens()),
                         [](const auto& test) { return test.param.name; });

nlohmann::json config_with(const std::string& key, const nlohmann::json& value) {
  nlohmann::json json = {{"peft_type", "LORA"}, {"r", 2}, {"lora_alpha", 4}};
  json[key] = value;
  return json;
}

TEST(PeftConfig, RefusesByNameWhatChangesNumbersAndIsNotSupported) {
  const auto error = [](const std::string& key, const nlohmann::json& value) {
    return message_of<DataError>([&] { peft_config_from_json(config_with(key, value), "f"); });
  };
  EXPECT_EQ(error("peft_type", "IA3"), "f: peft_type: \"IA3\"; want \"LORA\"");
  EXPECT_NE(error("init_lora_weights", "pissa").find("f: init_lora_weights: \"pissa\"; want"),
            std::string::npos);
  for (const char* key : {"lora_bias", "use_qalora", "a_new_switch"}) {
    EXPECT_EQ(error(key, true),
              "f: \"" + std::string(key) + "\": is not supported; want it absent, null or false");
  }
  EXPECT_NE(error("layer_replication", {{0, 4}, {2, 5}}).find("layer_replication"),
            std::string::npos);
  EXPECT_NE(error("trainable_token_indices", {1, 2}).find("trainable_token_indices"),
            std::string::npos);
  EXPECT_NE(error("rank_pattern", {{".*query", 3}}).find("rank_pattern: \".*query\" is no module"),
            std::string::npos);
  EXPECT_NE(error("r", 0).find("f: r: 0; want an integer from 1"), std::string::npos);
}

TEST(PeftConfig, PatternsAreEndsOfNames) {
  const PeftConfig config =
      peft_config_from_json({{"peft_type", "LORA"},
                             {"r", 4},
                             {"lora_alpha", 8},
                             {"use_rslora", true},
                             {"rank_pattern", {{"query", 16}, {"^h.1.c_fc", 9}}},
                             {"alpha_pattern", {{"0.query", 2}}}},
                            "f");
  EXPECT_EQ(config.rank_of("bert.0.query"), 16);
  EXPECT_EQ(config.rank_of("bert.0.subquery"), 4);
  EXPECT_EQ(config.rank_of("h.1.c_fc"), 9);
  EXPECT_EQ(config.rank_of("transformer.h.1.c_fc"), 4);
  EXPECT_DOUBLE_EQ(config.scale_of("bert.0.query"), 2.0 / 4);
  EXPECT_DOUBLE_EQ(config.scale_of("bert.1.query"), 8.0 / 4);
}

class Refused : public testing::Test {
 protected:
  StoredModel base_ = StoredModel(kGolden / "families" / "bert_labels" / "model");
  Path golden_ = kGolden / "peft" / "bert_q_v";
  TempDir temp_;

  // The golden adapters with a tensor renamed and keys of the configuration changed.
  std::string error(const std::string& from, const std::string& to,
                    const nlohmann::json& keys = nlohmann::json::object()) {
    const TensorSet tensors = open_tensors(golden_ / kPeftTensorsName);
    std::vector<NamedView> views;
    for (const std::string& name : tensors.names()) {
      std::string written = name;
      if (const std::size_t at = name.find(from); at != std::string::npos) {
        written.replace(at, from.size(), to);
      }
      views.push_back({written, tensors.view(name)});
    }
    std::filesystem::create_directories(temp_ / "bad");
    write_safetensors(temp_ / "bad" / kPeftTensorsName, views);
    nlohmann::json config = nlohmann::json::parse(std::ifstream(golden_ / kPeftConfigName));
    config.update(keys);
    std::ofstream(temp_ / "bad" / kPeftConfigName) << config;
    return message_of<DataError>([&] { with_peft_adapters(base_, temp_ / "bad"); });
  }
};

TEST_F(Refused, TensorsWithoutAPlaceAreNamed) {
  EXPECT_NE(error("layer.0.attention.self.query", "pooler.dense")
                .find("\"base_model.model.bert.encoder.pooler.dense.lora_A.weight\": no linear "
                      "layer of a block of"),
            std::string::npos);
  EXPECT_NE(error("classifier.bias", "qa_outputs.bias").find("qa_outputs.bias\": no parameter of"),
            std::string::npos);
  EXPECT_NE(error("base_model.model.bert.encoder.layer.1", "bert.1")
                .find("its name does not begin with base_model.model."),
            std::string::npos);
  EXPECT_NE(error("0.attention.self.query.lora_B", "0.attention.self.query.lora_C")
                .find("there is no lora_B beside it"),
            std::string::npos);
}

TEST_F(Refused, ConfigurationsThatContradictTensorsAreNamed) {
  EXPECT_NE(error("-", "-", {{"r", 3}}).find("lora_A.weight\": is [2, 9]; want [3, 9]"),
            std::string::npos);
  EXPECT_NE(error("-", "-", {{"use_dora", true}}).find("there is no lora_magnitude_vector"),
            std::string::npos);
}

TEST_F(Refused, ModelsWithoutAdaptersAndWhatTheFormatCannotSay) {
  EXPECT_NE(
      message_of<DataError>([&] { write_peft(base_, {}, temp_ / "out"); }).find("has no adapters"),
      std::string::npos);
  write_converted(base_, with_peft_adapters(base_, golden_), temp_ / "model");
  const StoredModel model(temp_ / "model");
  const auto error_of = [&](const char* parameter) {
    return message_of<DataError>([&] {
      write_peft(model, {"", nullptr, {parameter}}, temp_ / "out");
    });
  };
  EXPECT_NE(error_of("blocks.0.attn.qkv.weight")
                .find("bert.encoder.layer.0.attention.self.key.weight was trained too"),
            std::string::npos);
  EXPECT_NE(error_of("blocks.0.norm1.bias").find("LayerNorm.bias was trained too"),
            std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(temp_ / "out"));
}

}  // namespace
}  // namespace ty::test
