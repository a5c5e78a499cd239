// Factorised models in model directories: the way out and back, and files that do not fit.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "launch/run/model_setup.h"
#include "models/huggingface/model_config.h"
#include "models/huggingface/model_directory.h"
#include "models/huggingface/model_tensors.h"
#include "models/huggingface/model_writer.h"
#include "models/linear/dense/dense.h"
#include "models/linear/svd/svd.h"
#include "models/linear/ttm/ttm.h"
#include "tests/support/kind_names.h"
#include "tests/support/messages.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tensors.h"

namespace ty::test {
namespace {

using Json = nlohmann::json;

ModelSpec tiny(bool tied, std::vector<LinearRule> rules) {
  return {.layers = 2,
          .width = 12,
          .heads = 3,
          .context = 6,
          .vocab = 11,
          .tied = tied,
          .linear = std::move(rules)};
}

std::vector<LinearRule> all_kinds(bool tied) {
  const TtmSpec explicit_modes = {.in = {3, 4}, .out = {6, 8}, .ranks = {5}};
  const TtmSpec one_core = {.in = {12}, .out = {12}};
  std::vector<LinearRule> rules = {{"*", SvdSpec{.rank = 3}},
                                   {"*.mlp.up", explicit_modes},
                                   {"*.mlp.down", TtmSpec{.keep = 0.4}},
                                   {"*.0.attn.out", one_core},
                                   {"*.1.attn.out", DenseSpec{}}};
  if (!tied) rules.push_back({"head.*", TtmSpec{.rank = 2}});
  if (!tied) rules.push_back({"embeddings.token", TtmSpec{.rank = 3}});
  return rules;
}

class FactorisedDirectory : public testing::Test {
 protected:
  std::unique_ptr<Backend> backend_ = make_cpu_backend();
  TempDir temp_;

  OpenedModel write(const ModelSpec& config) {
    OpenedModel setup = make_model({}, config, *backend_, {});
    setup.parameters->initialise(3);
    FileWriter weights(temp_ / "model.safetensors");
    write_parameters(weights, *setup.parameters, setup.spec, Content::weights);
    weights.finish();
    write_config(model_spec_to_json(setup.spec));
    return setup;
  }
  void write_config(const Json& json) { std::ofstream(temp_ / "config.json") << json; }
  // What reading the directory says; its path is cut.
  std::string refusal() {
    const std::string text = message_of<DataError>([&] {
      const ModelSpec config = read_model_config(temp_.path());
      OpenedModel setup = make_model({}, config, *backend_, {});
      load_weights(temp_.path(), *setup.parameters, setup.spec);
    });
    const std::string directory = temp_.path().string() + "/";
    EXPECT_TRUE(text.starts_with(directory)) << text;
    return text.substr(std::min(directory.size(), text.size()));
  }
};

TEST_F(FactorisedDirectory, ComesBackBitByBit) {
  for (const bool tied : {true, false}) {
    const OpenedModel written = write(tiny(tied, all_kinds(tied)));
    const ModelSpec config = read_model_config(temp_.path());
    OpenedModel read = make_model({}, config, *backend_, {});
    load_weights(temp_.path(), *read.parameters, read.spec);
    const auto &a = written.model->parameters().all(), &b = read.model->parameters().all();
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      EXPECT_EQ(a[i].name, b[i].name);
      EXPECT_EQ(doubles(a[i].value), doubles(b[i].value)) << a[i].name;
    }
    EXPECT_EQ(model_spec_to_json(read.spec), model_spec_to_json(written.spec));
    EXPECT_EQ(read.model->linear_sites().size(), tied ? 9u : 10u);
  }
}

TEST_F(FactorisedDirectory, EntriesThatSayNothingUsableAreNamed) {
  const Json good = model_spec_to_json(write(tiny(true, all_kinds(true))).spec);
  const auto with = [&](const char* path, const Json& entry) {
    Json json = good;
    json["trainyard_linear"][path] = entry;
    write_config(json);
    return refusal();
  };
  const char* up = "blocks.0.mlp.up";
  const std::string key = "config.json: trainyard_linear.blocks.0.mlp.up";
  EXPECT_EQ(with(up, {{"kind", "tmm"}}),
            key + ".kind: got \"tmm\"; want one of " + kind_names() + " (did you mean \"ttm\"?)");
  EXPECT_EQ(with(up, {{"rank", 3}}), key + ".kind: missing; want one of " + kind_names());
  EXPECT_EQ(with(up, {{"kind", 7}}), key + ".kind: got 7; want one of " + kind_names());
  EXPECT_EQ(with(up, "svd"), key + ": \"svd\"; want an object");
  EXPECT_EQ(with(up, {{"kind", "svd"}}), key + ".rank: missing or 0; state rank >= 1, or keep");
  const std::string integer = "; want an integer >= 0 and <= 16777216";
  const std::string item = "; want an integer >= 1 and <= 16777216";
  EXPECT_EQ(with(up, {{"kind", "svd"}, {"rank", -3}}), key + ".rank: got -3" + integer);
  EXPECT_EQ(with(up, {{"kind", "svd"}, {"rank", 2.5}}), key + ".rank: got 2.5" + integer);
  EXPECT_EQ(with(up, {{"kind", "svd"}, {"rank", ~std::uint64_t{0}}}),
            key + ".rank: got 18446744073709551615" + integer + " that fits into 64 bits");
  EXPECT_EQ(with(up, {{"kind", "svd"}, {"rank", 3}, {"scale", 1}}),
            key + ".scale: unknown key; known: kind, rank, keep, init, activation");
  const auto ttm = [](const Json& in, const Json& out, const Json& ranks) {
    return Json{{"kind", "ttm"}, {"in", in}, {"out", out}, {"ranks", ranks}};
  };
  EXPECT_EQ(with(up, {{"kind", "ttm"}, {"in", {3, 4}}, {"out", {6, 8}}}),
            key + ".rank: missing or 0; state rank >= 1, or ranks, or keep");
  EXPECT_EQ(with(up, ttm(12, {6, 8}, {5})),
            key + ".in: got 12; want a list of integers >= 1 and <= 16777216");
  EXPECT_EQ(with(up, ttm({3, "4"}, {6, 8}, {5})),
            key + ".in[1]: got \"4\"" + item + ", without quotes");
  EXPECT_EQ(with(up, ttm({3, 4}, {6, 8}, {5, 5})),
            key + ".ranks: [5, 5] has 2, but 2 cores have 1 inner bond");
  EXPECT_EQ(with(up, ttm({3, 4}, {48}, {5})),
            key +
                ".out: [48] has 1 mode, but in = [3, 4] has 2; state one of each per core, or "
                "neither");
  const std::string layer = key + ": blocks.0.mlp.up [12, 48]: ";
  EXPECT_EQ(with(up, ttm({3, 3}, {6, 8}, {5})),
            layer +
                "ttm: in modes [3, 3] multiply to 9, but the layer has 12 in features; the "
                "product must be 12 or more");
  EXPECT_EQ(with(up, {{"kind", "svd"}, {"rank", 13}}),
            layer + "svd: rank 13 of a [12, 48] matrix; want 1 to 12");
  const std::int64_t huge = std::int64_t{1} << 24;
  EXPECT_EQ(with(up, ttm({huge, huge}, {6, 8}, {5})),
            layer +
                "ttm: in modes [16777216, 16777216] multiply to 281474976710656, "
                "twice the layer's 12 in features or more; want a product from 12 to 23");
  EXPECT_EQ(with(up, ttm({3, 2, 2}, {6, 4, 2}, {huge, huge})),
            layer +
                "ttm: in [3, 2, 2] out [6, 4, 2] ranks [16777216, 16777216] has more than "
                "1099511627776 weights; lower the ranks");
  EXPECT_EQ(with("blocks.9.mlp.up", {{"kind", "svd"}, {"rank", 3}}).substr(0, 88),
            "config.json: trainyard_linear.blocks.9.mlp.up.match: \"blocks.9.mlp.up\" matches no "
            "linear");
  EXPECT_TRUE(contains(with("embeddings.token", {{"kind", "kronecker"}, {"terms", 1}}),
                       "trainyard_linear.embeddings.token: embeddings.token [11, 12]: a token "
                       "table can be dense, svd, ttm or row_trains, not kronecker"));
  EXPECT_EQ(with("new\nline", {{"kind", "x"}}),
            "config.json: trainyard_linear.\"new\\nline\": no linear layer's name");
  EXPECT_EQ(with("*", {{"kind", "dense"}}),
            "config.json: trainyard_linear.\"*\": no linear layer's name");
  Json json = good;
  json["trainyard_linear"] = {1, 2};
  write_config(json);
  EXPECT_EQ(refusal(), "config.json: trainyard_linear: [1,2]; want an object");
}

TEST_F(FactorisedDirectory, ATiedTableMayBeCalledByItsHead) {
  Json json = model_spec_to_json(write(tiny(true, all_kinds(true))).spec);
  const Json table = json["trainyard_linear"]["embeddings.token"];
  json["trainyard_linear"].erase("embeddings.token");
  json["trainyard_linear"]["head.linear"] = table;
  write_config(json);
  EXPECT_EQ(read_model_config(temp_.path()).linear.back().match, "embeddings.token");
}

TEST_F(FactorisedDirectory, TensorsOfOtherRanksShowBothShapes) {
  Json json = model_spec_to_json(write(tiny(true, all_kinds(true))).spec);
  json["trainyard_linear"]["blocks.0.mlp.up"]["ranks"] = {4};
  json["trainyard_linear"]["blocks.1.attn.qkv"] = {{"kind", "dense"}};
  write_config(json);
  EXPECT_EQ(refusal(),
            "model.safetensors: transformer.h.0.mlp.c_fc.core1: file [1, 3, 6, 5] != config [1, 3, "
            "6, 4]; transformer.h.0.mlp.c_fc.core2: file [5, 4, 8, 1] != config [4, 4, 8, 1]; "
            "transformer.h.1.attn.c_attn.weight: missing, wanted [12, 36]; "
            "\"transformer.h.1.attn.c_attn.a\": not a tensor of this model; "
            "\"transformer.h.1.attn.c_attn.b\": not a tensor of this model");
}

}  // namespace
}  // namespace ty::test
