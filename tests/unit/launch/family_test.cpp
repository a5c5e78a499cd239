// A family of models that is not trainyard's own: what models/families says a new one costs, and
// that every verb and file knows it then.
#include "models/families/family.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/io/tensor_set.h"
#include "models/families/activation_names.h"
#include "models/families/size_keys.h"
#include "tests/support/command_line.h"
#include "tests/support/temp_dir.h"

namespace ty::test {
namespace {

using Json = nlohmann::json;

// Other keys than any family has, and linear weights as [out, in], with q, k and v apart.
constexpr std::array<StoredSize, 6> kSizes = {{
    {&ModelSpec::layers, {0, 100}, {"depth"}},
    {&ModelSpec::width, {1, 1000}, {"breadth", "hidden_size"}},
    {&ModelSpec::heads, {1, 100}, {"heads"}},
    {&ModelSpec::context, {1, 1000}, {"span"}},
    {&ModelSpec::vocab, {1, 1000}, {"words"}},
    {&ModelSpec::inner, {1, 1000}, {"inside"}},
}};

void read(const JsonFields& json, ModelSpec& spec) {
  read_sizes(kSizes, json, spec);
  spec.tied = json.flag("shares_table");
  spec.activation = read_activation(json, "act");
}

void write(const ModelSpec& spec, Json& json) {
  write_sizes(kSizes, spec, json);
  json["shares_table"] = spec.tied;
}

std::vector<StoredPart> parts(const ModelSpec& spec, const std::string& parameter,
                              const Shape& shape) {
  const std::string name = "toy/" + parameter;
  if (parameter.find(".attn.qkv.weight") != std::string::npos) {
    // [in, head, q | k | v, number] here, [head and number, in] three times there.
    std::vector<StoredPart> all;
    for (const int which : {0, 1, 2}) {
      all.push_back({{name + "qkv"[which]},
                     {shape[1] / 3, shape[0]},
                     [which, heads = spec.heads](const View& ours) {
                       const std::int64_t in = ours.shape[0], size = ours.shape[1] / heads / 3;
                       return contiguous_view(ours.data, ours.dtype, {in, heads, 3, size})
                           .transpose(1, 2)
                           .transpose(0, 1)[which]
                           .transpose(0, 1)
                           .transpose(1, 2);
                     }});
    }
    return all;
  }
  if (shape.rank() == 2 && parameter.starts_with("blocks.") && parameter.ends_with(".weight")) {
    return {{{name}, {shape[1], shape[0]}, [](const View& ours) { return ours.transpose(0, 1); }}};
  }
  return {{{name}, shape}};
}

constexpr std::array<StoredClass, 1> kClasses = {{{"ToyForPlay"}}};
const Family kToy = {.name = "toy",
                     .classes = kClasses,
                     .activation_key = "act",
                     .sizes = kSizes,
                     .unread = {},
                     .read = read,
                     .write = write,
                     .parts = parts};

class AFamilyOfOnesOwn : public testing::Test {
 protected:
  static void SetUpTestSuite() { add_family(kToy); }

  AFamilyOfOnesOwn() {
    std::ofstream text(at("text.txt"));
    for (int i = 0; i < 200; ++i) text << "one and two are three. ";
  }
  // A job of so many steps; the toy's unless another family is named.
  std::string job(const std::string& family = "toy") {
    std::ofstream(at(family + ".yaml"))
        << "schema: 1\nrun: {name: " << family << ", dir: " << at(family)
        << ", steps: 4}\nmodel: {family: " << family
        << ", layers: 2, width: 16, heads: 2, context: 16}\ntokenizer: {kind: bytes}\n"
           "data: {train: text.txt, sequence: 16, batch: 4}\ncheckpoint: {every: 2}\n";
    return at(family + ".yaml");
  }
  std::string at(const std::string& name) { return (temp_ / name).string(); }
  double loss(const std::string& model) {
    return Json::parse(output_of({"eval", model, at("text.txt"), "--json"}))["loss"].get<double>();
  }

  TempDir temp_;
};

TEST_F(AFamilyOfOnesOwn, ServesEveryVerb) {
  EXPECT_NE(output_of({"config", "schema"}).find("\"toy\""), std::string::npos);
  EXPECT_NE(output_of({"plan", job()}).find("parameters"), std::string::npos);
  const CommandOutcome trained = run_command({"train", job()});
  EXPECT_EQ(trained.code, 0) << trained.err;
  EXPECT_NE(trained.err.find("model  toy 2 layers x 16"), std::string::npos) << trained.err;
  output_of({"train", job(), "run.steps=6"});  // goes on

  const std::string model = at("toy/checkpoints/step-6");
  const Json config = Json::parse(std::ifstream(model + "/config.json"));
  EXPECT_EQ(config["model_type"], "toy");
  EXPECT_EQ(config["architectures"], Json{"ToyForPlay"});
  EXPECT_EQ(config["breadth"], 16);
  EXPECT_EQ(open_tensors(model).tensor("toy/blocks.1.attn.qkv.weightk").shape, (Shape{16, 16}));
  EXPECT_EQ(open_tensors(model).tensor("toy/blocks.0.mlp.up.weight").shape, (Shape{64, 16}));
  EXPECT_NE(output_of({"inspect", model}).find("toy"), std::string::npos);
  output_of({"generate", model, "one"});
  output_of({"import", model, at("imported")});
  EXPECT_EQ(loss(at("imported")), loss(model));
  output_of({"train", job(), "model={from: " + at("imported") + "}", "run.dir=" + at("more")});
  output_of(
      {"compress", model, at("cut"), "--method", "svd", "--rank", "16", "--match", "blocks.*"});
  EXPECT_NEAR(loss(at("cut")), loss(model), 1e-5);
  EXPECT_EQ(Json::parse(std::ifstream(at("cut") + "/config.json"))["model_type"], "trainyard_toy");
  output_of({"export", "--dense", at("cut"), at("dense")});
  EXPECT_NEAR(loss(at("dense")), loss(model), 1e-5);
}

// Where a number lies in a file is the only difference.
TEST_F(AFamilyOfOnesOwn, TrainsToTheSameNumbersAsAnother) {
  output_of({"train", job("toy")});
  output_of({"train", job("gpt2")});
  EXPECT_EQ(loss(at("toy")), loss(at("gpt2")));
}

TEST_F(AFamilyOfOnesOwn, IsNamedInMessages) {
  output_of({"train", job()});
  const std::string model = at("toy/checkpoints/step-4");
  Json config = Json::parse(std::ifstream(model + "/config.json"));
  const auto says = [&](const std::string& text) {
    std::filesystem::remove(model + "/manifest.json");
    std::ofstream(model + "/config.json") << config;
    const CommandOutcome outcome = run_command({"eval", model, at("text.txt")});
    EXPECT_EQ(outcome.code, 65);
    EXPECT_NE(outcome.err.find(text), std::string::npos) << outcome.err;
  };
  config["breadth"] = 18;
  says("breadth: 18, but toy/embeddings.position.weight is [16, 16]; want 16");
  config["breadth"] = 16;
  config["model_type"] = "toyota";
  says("model_type: \"toyota\"; want \"gpt2\" or ");
  EXPECT_NE(run_command({"plan", job(), "model.family=troy"}).err.find("toy"), std::string::npos);
}

TEST(Families, HaveNamesOfTheirOwn) { EXPECT_THROW(add_family(families()[0]), InternalError); }

}  // namespace
}  // namespace ty::test
