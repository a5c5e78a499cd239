// config.json: what is read, what is refused and how, and what is kept.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/io/json.h"
#include "models/huggingface/model_config.h"
#include "models/linear/svd/svd.h"
#include "tests/support/messages.h"

namespace ty::test {
namespace {

using Json = nlohmann::json;

Json good() {
  return {{"model_type", "gpt2"}, {"n_layer", 2},      {"n_embd", 12},
          {"n_head", 3},          {"n_positions", 16}, {"vocab_size", 11}};
}

Json with(const char* key, const Json& value) {
  Json json = good();
  json[key] = value;
  return json;
}

ModelSpec read(const Json& json) { return model_spec_from_json(json, "m/config.json"); }
std::string refusal(const Json& json) {
  const std::string text = message_of<DataError>([&] { read(json); });
  EXPECT_TRUE(text.starts_with("m/config.json: ")) << text;
  EXPECT_LT(text.size(), 300u);
  EXPECT_EQ(text.find_first_of("\n\r\x1b"), std::string::npos);
  return text.substr(15);
}

TEST(ConfigJson, SizesAreIntegersWithinTheirLimits) {
  const auto large = std::int64_t{1} << 62;
  EXPECT_EQ(refusal(with("n_layer", 2.9)), "n_layer: 2.9; want an integer from 0 to 1000");
  EXPECT_EQ(refusal(with("n_layer", 1001)), "n_layer: 1001; want an integer from 0 to 1000");
  EXPECT_EQ(refusal(with("n_head", 1.5)), "n_head: 1.5; want an integer from 1 to 1048576");
  EXPECT_EQ(refusal(with("n_head", "3")), "n_head: \"3\"; want an integer from 1 to 1048576");
  EXPECT_EQ(refusal(with("n_head", 5)), "n_head: 5 does not divide n_embd 12");
  EXPECT_EQ(refusal(with("n_embd", 4294967296)),
            "n_embd: 4294967296; want an integer from 1 to 1048576");
  EXPECT_EQ(refusal(with("n_embd", -12)), "n_embd: -12; want an integer from 1 to 1048576");
  EXPECT_EQ(refusal(with("n_embd", -0.0)), "n_embd: -0.0; want an integer from 1 to 1048576");
  EXPECT_EQ(refusal(with("vocab_size", 144115188075855873)),
            "vocab_size: 144115188075855873; want an integer from 1 to 2147483647");
  EXPECT_EQ(refusal(with("vocab_size", ~std::uint64_t{0})),
            "vocab_size: 18446744073709551615; want an integer from 1 to 2147483647");
  EXPECT_EQ(refusal(with("n_positions", large)),
            "n_positions: 4611686018427387904; want an integer from 1 to 2147483647");
  EXPECT_EQ(refusal(with("n_inner", large)),
            "n_inner: 4611686018427387904; want an integer from 1 to 16777216");
  EXPECT_EQ(refusal(with("n_inner", 0)), "n_inner: 0; want an integer from 1 to 16777216");
  EXPECT_EQ(refusal(with("n_embd", nullptr)), "n_embd: null; want an integer from 1 to 1048576");
  Json missing = good();
  missing.erase("n_embd");
  EXPECT_EQ(refusal(missing), "n_embd: missing");
}

TEST(ConfigJson, OtherValuesAreOfTheirKind) {
  EXPECT_EQ(refusal(with("layer_norm_epsilon", -1)),
            "layer_norm_epsilon: -1; want a number from 0 to 1");
  EXPECT_EQ(refusal(with("resid_pdrop", 1.5)), "resid_pdrop: 1.5; want a number from 0 to 1");
  EXPECT_EQ(refusal(with("attn_pdrop", "0.1")), "attn_pdrop: \"0.1\"; want a number from 0 to 1");
  EXPECT_EQ(refusal(with("tie_word_embeddings", 1)), "tie_word_embeddings: 1; want true or false");
  EXPECT_EQ(refusal(with("add_cross_attention", true)),
            "add_cross_attention: true; want false; nothing else is supported");
  EXPECT_EQ(refusal(with("model_type", "bert")), "num_hidden_layers: missing");
  EXPECT_TRUE(contains(refusal(with("model_type", "t5")), "model_type: \"t5\"; want \"gpt2\" or "));
  for (const char* document : {"[]", "null", "12", "\"gpt2\"", "true"}) {
    EXPECT_EQ(message_of<DataError>([&] { read(parse_json(document, "m/config.json")); }),
              fmt::format("m/config.json: {}; want an object", document));
  }
}

TEST(ConfigJson, WhatIsShownOfItIsShortAndPrintable) {
  EXPECT_TRUE(contains(refusal(with("activation_function", "a\n\x1b[31mb")),
                       R"(activation_function: "a\n\u001b[31mb"; want one of gelu_new, )"));
  EXPECT_TRUE(
      contains(refusal(with("activation_function", std::string(100'000, 'x'))), "xx..; want"));
  EXPECT_TRUE(contains(refusal(with("n_layer", Json(std::vector<int>(10'000, 7)))), "7,7.."));
  EXPECT_TRUE(contains(refusal(with("model_type", std::string(100'000, '\n'))), "n\\.."));
}

TEST(ConfigJson, SpellingsOfOneSizeMustAgree) {
  Json other = good();
  other.erase("n_head");
  other["num_attention_heads"] = 4;
  EXPECT_EQ(read(other).heads, 4);
  other["n_head"] = 3;
  EXPECT_EQ(refusal(other),
            "num_attention_heads: 4; want 3 as n_head says, or one of the two keys");
  EXPECT_EQ(read(with("n_ctx", 99)).context, 16);  // which the public library does not read
  const Json written = model_spec_to_json(read(with("max_position_embeddings", 16)));
  EXPECT_FALSE(written.contains("max_position_embeddings"));
  EXPECT_EQ(written["n_positions"], 16);
}

TEST(ConfigJson, KeysThatMeanNothingHereAreKept) {
  Json json = good();
  json.update({{"eos_token_id", {7, 8}},
               {"bos_token_id", nullptr},
               {"reorder_and_upcast_attn", true},
               {"summary_type", "cls_index"},
               {"task_specific_params", {{"text-generation", {{"max_length", 50}}}}},
               {"activation_function", "gelu_fast"},
               {"attn_pdrop", 0.0},
               {"embd_pdrop", 0.25},
               {"resid_pdrop", 0.1},
               {"n_inner", 36},
               {"torch_dtype", "float16"}});
  const ModelSpec config = read(json);
  EXPECT_EQ(config.dropout.attention, 0.0);
  EXPECT_EQ(config.dropout.embedding, 0.25);
  EXPECT_EQ(config.dropout.residual, 0.1);
  const Json written = model_spec_to_json(config);
  for (const auto& [key, value] : json.items()) EXPECT_EQ(written[key], value) << key;
  EXPECT_EQ(model_spec_to_json(read(written)), written);
}

TEST(ConfigJson, StatesWhatThePublicLibraryWouldGuess) {
  ModelSpec own = {.layers = 1, .width = 8, .heads = 2, .vocab = 257};
  set_run_keys(own, 256, DType::bf16);
  const Json written = model_spec_to_json(own);
  for (const char* key : {"bos_token_id", "eos_token_id", "pad_token_id"}) {
    EXPECT_EQ(written[key], 256) << key;
  }
  EXPECT_EQ(written["dtype"], "bfloat16");
  ModelSpec ids = {.layers = 1, .width = 8, .heads = 2, .vocab = 257};
  set_run_keys(ids, std::nullopt, DType::f32);
  EXPECT_TRUE(model_spec_to_json(ids)["eos_token_id"].is_null());  // missing would mean 50256
  ModelSpec both = {.family = "bart", .layers = 1, .encoder_layers = 1, .width = 8, .heads = 2};
  set_run_keys(both, 256, DType::f32);
  EXPECT_EQ(model_spec_to_json(both)["decoder_start_token_id"], 256);
  EXPECT_TRUE(model_spec_to_json(both)["forced_eos_token_id"].is_null());  // missing would mean 2
  Json stated = with("eos_token_id", 3);
  stated["torch_dtype"] = "float16";
  ModelSpec tuned = read(stated);
  set_run_keys(tuned, 10, DType::f32);
  EXPECT_EQ(model_spec_to_json(tuned)["eos_token_id"], 3);
  EXPECT_EQ(model_spec_to_json(tuned)["bos_token_id"], 10);
  EXPECT_EQ(model_spec_to_json(tuned)["dtype"], "float32");
  EXPECT_FALSE(model_spec_to_json(tuned).contains("torch_dtype"));
}

// The public library fills factorised layers with random numbers unless something stops it: its
// automatic classes know no such type, GPT2LMHeadModel no such activation.
TEST(ConfigJson, OfFactorisedMapsIsNoGpt2ToThePublicLibrary) {
  ModelSpec config = read(with("activation_function", "silu"));
  config.linear = {{"blocks.0.mlp.up", SvdSpec{.rank = 2}}};
  const Json written = model_spec_to_json(config);
  EXPECT_EQ(written["model_type"], "trainyard_gpt2");
  EXPECT_EQ(written["architectures"], Json({"TrainyardGPT2LMHeadModel"}));
  EXPECT_EQ(written["activation_function"], "trainyard:silu");
  EXPECT_TRUE(contains(written["trainyard_note"], "export THIS OUT --dense"));
  ModelSpec again = read(written);
  EXPECT_EQ(again.activation, UnaryOp::silu);
  EXPECT_EQ(again.linear.size(), 1u);
  // The spelling of before is read, too; without factorised layers it is a plain directory again.
  Json before = written;
  before.update({{"model_type", "gpt2"}, {"activation_function", "silu"}});
  EXPECT_EQ(model_spec_to_json(read(before)), written);
  again.linear.clear();
  const Json dense = model_spec_to_json(again);
  EXPECT_EQ(dense["model_type"], "gpt2");
  EXPECT_EQ(dense["architectures"], Json({"GPT2LMHeadModel"}));
  EXPECT_EQ(dense["activation_function"], "silu");
  EXPECT_FALSE(dense.contains("trainyard_note") || dense.contains("trainyard_linear"));
}

}  // namespace
}  // namespace ty::test
