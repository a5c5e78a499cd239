// A kind of linear layer that is not trainyard's own: what README says a new kind costs, and that
// every verb, file and table knows it then.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/ops/elementwise.h"
#include "models/linear/base/factors.h"
#include "models/linear/dense/dense.h"
#include "models/linear/kinds.h"
#include "tests/support/command_line.h"

namespace ty {

// W = scale V, with V of the kind `of`: a kind around another one.
struct StretchedSpec {
  static constexpr std::string_view kKind = "stretched";

  double scale = 1;
  LinearSpec of = {};

  friend bool operator==(const StretchedSpec&, const StretchedSpec&) = default;
};

void fields(config::Fields& f, StretchedSpec& s) {
  f.field("scale", s.scale, "what the other kind's product is multiplied by", config::positive());
  f.field("of", s.of, "the other kind");
}
std::optional<SpecFault> fault_of(const StretchedSpec& s) {
  auto fault = fault_of(s.of);
  if (fault) fault->key = "of." + fault->key;
  return fault;
}
StretchedSpec resolved(const StretchedSpec& s, const LinearShape& shape) {
  return {s.scale, resolved(s.of, shape)};
}
std::string describe(const StretchedSpec& s) {
  return fmt::format("{} times {}", s.scale, describe(s.of));
}
std::int64_t num_weights(const StretchedSpec& s, const LinearShape& shape) {
  return num_weights(s.of, shape);
}
double forward_flops(const StretchedSpec& s, const LinearShape& shape, std::int64_t tokens) {
  return forward_flops(s.of, shape, tokens);
}

class StretchedLinear final : public Linear {
 public:
  StretchedLinear(const Scope& scope, LinearShape shape, const StretchedSpec& s, Split split,
                  const Sharing& sharing)
      : scale_(s.scale),
        bias_(shape.bias ? &scope.parameter("bias", {shape.out}, Init::constant(0.0)) : nullptr) {
    shape.bias = false;
    of_ = make_linear(scope.child("of"), shape, s.of, split, sharing);
  }
  Tensor apply(const Tensor& x) const override {
    const Tensor y = scale(of_->forward(x), scale_);
    return bias_ == nullptr ? y : add(y, bias_->value);
  }
  Tensor dense_weight() const override {
    const NoGrad no_grad;
    return scale(of_->dense_weight(), scale_);
  }

 private:
  double scale_;
  const Parameter* bias_;
  std::unique_ptr<Linear> of_;
};
std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape,
                                    const StretchedSpec& s, Split split, const Sharing& sharing) {
  return std::make_unique<StretchedLinear>(scope, shape, s, split, sharing);
}

namespace test {
namespace {

namespace fs = std::filesystem;

class AKindOfOnesOwn : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    add_linear_kind(StretchedSpec{});
    root_ = fs::temp_directory_path() / fmt::format("trainyard-kind-{}", ::getpid());
    fs::create_directories(root_);
    std::ofstream text(root_ / "text.txt");
    for (int i = 0; i < 200; ++i) text << "one and two are three. ";
    text.close();
    std::ofstream(root_ / "job.yaml") << R"(schema: 1
run: {name: toy, dir: run, steps: 4}
model: {layers: 1, width: 16, heads: 2, context: 16}
tokenizer: {kind: bytes}
data: {train: text.txt, sequence: 16, batch: 4}
checkpoint: {every: 2}
linear:
  - {match: blocks.0.mlp.*, kind: stretched, scale: 0.5, of: {kind: svd, rank: 3}}
)";
  }
  static void TearDownTestSuite() { fs::remove_all(root_); }

  static std::string at(const char* name) { return (root_ / name).string(); }

  static inline fs::path root_;
};

TEST_F(AKindOfOnesOwn, ServesEveryVerb) {
  const std::string described = "0.5 times svd rank 3";
  EXPECT_NE(output_of({"config", "schema"}).find("\"stretched\""), std::string::npos);
  EXPECT_NE(output_of({"config", "show", at("job.yaml")}).find("of: {kind: svd, rank: 3"),
            std::string::npos);
  EXPECT_NE(output_of({"plan", at("job.yaml")}).find(described), std::string::npos);
  output_of({"train", at("job.yaml")});
  output_of({"train", at("job.yaml"), "run.steps=6"});  // goes on

  const std::string model = (root_ / "run/checkpoints/step-6").string();
  std::ifstream stored(model + "/config.json");
  const auto config = nlohmann::json::parse(stored);
  EXPECT_EQ(config["trainyard_linear"]["blocks.0.mlp.up"],
            nlohmann::json::parse(
                R"({"kind": "stretched", "scale": 0.5,
                    "of": {"kind": "svd", "rank": 3, "keep": 0.0, "init": "normal",
                           "activation": null}})"));
  EXPECT_NE(output_of({"inspect", model}).find("2 x " + described), std::string::npos);
  output_of({"generate", model, "one"});
  output_of({"import", model, at("imported")});
  output_of({"train", at("job.yaml"), "model={from: " + at("imported") + "}", "linear=[]",
             "run.dir=" + at("more")});
  const std::string score = output_of({"eval", model, at("text.txt"), "--json"});
  output_of({"export", "--dense", model, at("dense")});
  const auto loss = [](const std::string& text) {
    return nlohmann::json::parse(text)["loss"].get<double>();
  };
  EXPECT_NEAR(loss(score), loss(output_of({"eval", at("dense"), at("text.txt"), "--json"})), 1e-5);
  output_of({"compress", model, at("cut"), "--method", "svd", "--rank", "2", "--match",
             "blocks.*.attn.*"});
  EXPECT_NE(output_of({"inspect", at("cut")}).find("2 x " + described), std::string::npos);
}

TEST_F(AKindOfOnesOwn, IsCheckedLikeTheOthers) {
  const auto linear = [](const std::string& rule) {
    return run_command({"plan", at("job.yaml"),
                        "linear=[{match: blocks.0.mlp.up, kind: stretched, " + rule + "}]"});
  };
  const auto says = [](const CommandOutcome& outcome, const char* text) {
    EXPECT_EQ(outcome.code, 78);
    EXPECT_NE(outcome.err.find(text), std::string::npos) << outcome.err;
  };
  says(linear("scale: -1, of: {kind: dense}"), "linear[0].scale: got -1; want a number > 0");
  says(linear("of: {kind: svd}"), "linear[0].of.rank: missing or 0; state rank >= 1, or keep");
  says(linear("of: {kind: svd, rank: 17}"), "svd: rank 17 of a [16, 64] matrix; want 1 to 16");
  says(linear("of: {kind: dense}, rank: 3"), "linear[0].rank: only used with kind: ttm or");
}

TEST(LinearKinds, HaveNamesOfTheirOwn) {
  EXPECT_THROW(add_linear_kind(DenseSpec{}), InternalError);
}

}  // namespace
}  // namespace test
}  // namespace ty
