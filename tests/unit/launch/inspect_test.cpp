// What lies at a path, and what is wrong with it.
#include <gtest/gtest.h>

#include <fstream>

#include "core/base/error.h"
#include "core/data/token_file.h"
#include "launch/inspect/inspection.h"
#include "launch/inspect/path_kind.h"
#include "tests/support/messages.h"
#include "tests/support/temp_dir.h"

namespace ty::test {
namespace {

const Path kGolden = TY_GOLDEN_DIR "/gpt2";

class Inspecting : public testing::Test {
 protected:
  TempDir temp_;

  Path write(const std::string& name, const std::string& content) {
    const Path file = temp_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << content;
    return file;
  }
  Path write_ids(const std::string& name, std::vector<std::int32_t> ids, TokenFileInfo info = {}) {
    const Path file = temp_ / name;
    std::filesystem::create_directories(file.parent_path());
    write_token_file(file, ids, info);
    return file;
  }
  std::string refusal(const Path& path) {
    return message_of<UsageError>([&] { recognise(path); });
  }
};

TEST_F(Inspecting, RecognisesKindsByWhatIsThere) {
  write("run/checkpoints/step-5/manifest.json", "{}");
  EXPECT_EQ(recognise(temp_ / "run"), PathKind::run);
  EXPECT_EQ(recognise(temp_ / "run/checkpoints/step-5"), PathKind::checkpoint);
  write("copy/config.json", "{}");
  EXPECT_EQ(recognise(temp_ / "copy"), PathKind::model);
  write("copy/manifest.json", "{}");
  EXPECT_EQ(recognise(temp_ / "copy"), PathKind::checkpoint);
  write("tok/tokenizer.json", "{}");
  EXPECT_EQ(recognise(temp_ / "tok"), PathKind::tokenizer);
  EXPECT_EQ(recognise(kGolden / "untied_gelu/model"), PathKind::model);
}

TEST_F(Inspecting, RecognisesFilesWithoutExtensionByTheirBytes) {
  EXPECT_EQ(recognise(write("README", "plain words")), PathKind::text);
  std::filesystem::copy(kGolden / "untied_gelu/model/model.safetensors", temp_ / "blob");
  EXPECT_EQ(recognise(temp_ / "blob"), PathKind::tensors);
  EXPECT_EQ(recognise(write_ids("ids", {1, 2})), PathKind::token_file);
}

TEST_F(Inspecting, UnknownPathsAreToldWhatWouldBeRight) {
  EXPECT_TRUE(contains(refusal(temp_ / "none"), "no such file or directory; want a run"));
  EXPECT_TRUE(contains(refusal(temp_.path()), "nothing known lies in this directory"));
  EXPECT_TRUE(contains(refusal(write("zeros", std::string(9, '\0'))), "neither text nor"));
  EXPECT_TRUE(contains(refusal(write("job.yaml", "a: 1")), "trainyard config show"));
  EXPECT_TRUE(contains(refusal(write("d/config.json", "{}")),
                       "name the directory " + (temp_ / "d").string()));
}

TEST_F(Inspecting, ATiedHeadCountsOnce) {
  const Inspection tied = inspect(kGolden / "tied_gelu_new/model");
  const Inspection untied = inspect(kGolden / "untied_gelu/model");
  for (const Inspection* model : {&tied, &untied}) {
    EXPECT_EQ(model->damage, "");
    const auto& f = model->facts;
    const auto layers = f["layers"].get<std::int64_t>(), c = f["width"].get<std::int64_t>();
    const auto inner = f["inner"].get<std::int64_t>();
    const std::int64_t tables =
        (f["vocab"].get<std::int64_t>() * (f["tied"] ? 1 : 2) + f["context"].get<std::int64_t>()) *
        c;
    const std::int64_t block = 4 * c * c + 2 * c * inner + 9 * c + inner;
    EXPECT_EQ(f["parameters"], tables + layers * block + 2 * c);
  }
  EXPECT_TRUE(tied.facts["tied"]);
  EXPECT_FALSE(untied.facts["tied"]);
}

TEST_F(Inspecting, SaysThatAHeadIsNotTheTableWhateverTheFlagSays) {
  const Inspection own = inspect(kGolden / "own_head_tanh/model");
  EXPECT_FALSE(own.facts["tied"]);
  EXPECT_TRUE(contains(own.text, "its own: lm_head.weight is not the token table"));
  EXPECT_TRUE(inspect(kGolden / "head_only/model").facts["tied"]);
}

TEST_F(Inspecting, ModelsMustFitTheirConfiguration) {
  std::filesystem::copy(kGolden / "untied_gelu/model", temp_ / "m");
  std::ifstream in(temp_ / "m/config.json");
  nlohmann::json config = nlohmann::json::parse(in);
  config["n_positions"] = config["n_positions"].get<int>() + 1;
  config["n_ctx"] = config["n_positions"];
  write("m/config.json", config.dump());
  const Inspection result = inspect(temp_ / "m");
  EXPECT_TRUE(contains(result.damage, "n_positions: 17, but transformer.wpe.weight is [16, 20]"));
  EXPECT_FALSE(result.facts["valid"]);
  EXPECT_FALSE(result.facts["tensors"].empty()) << "the tensors are told all the same";
  config["n_layer"] = 1'000'000'000;
  write("m/config.json", config.dump());
  EXPECT_TRUE(
      contains(inspect(temp_ / "m").damage, "n_layer: 1000000000; want an integer from 0 to 1000"));
  config["model_type"] = "other";
  write("m/config.json", config.dump());
  EXPECT_EQ(inspect(temp_ / "m").damage, "");
  EXPECT_FALSE(inspect(temp_ / "m").facts["supported"]);
}

TEST_F(Inspecting, CountsDocumentsOfTokenFiles) {
  make_tokenizer({.kind = TokenizerKind::bytes}, {})->save(temp_ / "run/tokenizer");
  const auto near = load_tokenizer(temp_ / "run/tokenizer");
  const TokenFileInfo info = {.vocab = 257, .source_bytes = 4, .tokenizer = near->fingerprint()};
  const Inspection result =
      inspect(write_ids("run/data/train.bin", {256, 'h', 'i', 256, 256, 'y', 'o'}, info));
  EXPECT_EQ(result.damage, "");
  EXPECT_EQ(result.facts["documents"], 2);
  EXPECT_EQ(result.facts["end_of_text_count"], 3);
  EXPECT_EQ(result.facts["begins"], "<|endoftext|>hi<|endoftext|><|endoftext|>yo");
}

TEST_F(Inspecting, TakesOnlyTheTokenizerThatMadeTheIds) {
  make_tokenizer({.kind = TokenizerKind::bytes}, {})->save(temp_ / "tokenizer");
  const TokenFileInfo info = {.vocab = 300, .tokenizer = 12345};
  const Path file = write_ids("a.bin", {1, 2}, info);
  EXPECT_TRUE(inspect(file).facts["tokenizer"].is_null());
  InspectOptions options;
  options.tokenizer = temp_ / "tokenizer";
  EXPECT_TRUE(contains(inspect(file, options).damage, "was made with tokenizer 0000000000003039"));
}

TEST_F(Inspecting, FindsIdsAboveTheVocabulary) {
  const TokenFileInfo info = {.vocab = 10};
  EXPECT_TRUE(contains(inspect(write_ids("a.bin", {1, 2, 12}, info)).damage,
                       "token 12 at position 2 is not below the vocabulary 10"));
}

TEST_F(Inspecting, FindsIdsWithoutAText) {
  const auto bytes = make_tokenizer({.kind = TokenizerKind::bytes}, {});
  auto definition = nlohmann::json::parse(bytes->to_json());
  definition["model"]["vocab"]["ab"] = 300;
  definition["added_tokens"] = nlohmann::json::array();
  write("tokenizer/tokenizer.json", definition.dump());
  EXPECT_EQ(inspect(write_ids("a.bin", {97, 300})).damage, "");
  const Inspection result = inspect(write_ids("b.bin", {97, 299, 98}));
  EXPECT_TRUE(contains(result.damage, "token 299 at position 1 has no text in this tokenizer"));
  EXPECT_EQ(result.facts["begins"], "ab");
}

TEST_F(Inspecting, KnowsShardsOfGpt2) {
  const Inspection result = inspect(write_ids("a.bin", {50256, 5, 6, 50256, 7}));
  EXPECT_EQ(result.facts["documents"], 2);
  EXPECT_TRUE(result.facts["vocab"].is_null());
}

TEST_F(Inspecting, CountsTextsOfAllFormats) {
  const Inspection lines =
      inspect(write("a.jsonl", "{\"text\": \"one\"}\n{\"text\": \"\\u00e4\"}\n"));
  EXPECT_EQ(lines.facts["documents"], 2);
  EXPECT_EQ(lines.facts["text_bytes"], 5);
  EXPECT_EQ(inspect(write("b.txt", "a\xff")).facts["documents_not_utf8"], 1);
  const Path table = write("c.tsv", "id\ttext\n1\tyes\n2\tno\n");
  InspectOptions options;
  options.text.tsv_column = 1;
  EXPECT_EQ(inspect(table, options).facts["text_bytes"], 5);
  EXPECT_TRUE(contains(inspect(write("d.jsonl", "{\"body\": 1}\n")).damage, "d.jsonl:1:"));
}

}  // namespace
}  // namespace ty::test
