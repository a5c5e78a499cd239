// What the public tokenizers library makes of texts, for each kind of tokenizer that models are
// published with (tests/golden/tokenizer_kinds).
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "core/data/encoding.h"
#include "core/io/file.h"
#include "tests/support/temp_dir.h"

namespace ty::test {
namespace {

using Json = nlohmann::json;
using Ids = std::vector<std::int32_t>;

const Path kGolden = Path(TY_GOLDEN_DIR) / "tokenizer_kinds";

std::unique_ptr<Tokenizer> load_kind(const std::string& name) {
  const TempDir temp;
  std::filesystem::copy_file(kGolden / (name + ".json"), temp / "tokenizer.json");
  return load_tokenizer(temp.path());
}

Json cases() { return Json::parse(read_text_file(kGolden / "cases.json", 1 << 24)); }

void expect_case(const Tokenizer& tokenizer, const Json& golden, bool with_text) {
  SCOPED_TRACE(golden.dump(-1, ' ', true));
  const std::string first = golden["first"];
  std::optional<std::string> second;
  if (golden["second"].is_string()) second = golden["second"].get<std::string>();
  const Ids plain = tokenizer.encode(first);
  EXPECT_EQ(plain, golden["plain"].get<Ids>());
  const Encoding encoding = encode_with_special(tokenizer, first, second, golden["longest"]);
  EXPECT_EQ(encoding.ids, golden["ids"].get<Ids>());
  EXPECT_EQ(encoding.types, golden["types"].get<Ids>());
  if (!with_text) return;
  EXPECT_EQ(tokenizer.decode(plain), golden["text"].get<std::string>());
}

TEST(TokenizerKinds, EncodeAsThePublicLibrary) {
  std::map<std::string, std::unique_ptr<Tokenizer>> tokenizers;
  std::size_t count = 0;
  for (const Json& golden : cases()) {
    const std::string name = golden["tokenizer"];
    auto& tokenizer = tokenizers[name];
    if (tokenizer == nullptr) tokenizer = load_kind(name);
    expect_case(*tokenizer, golden, true);
    ++count;
  }
  EXPECT_EQ(tokenizers.size(), 5u);
  EXPECT_GT(count, 500u);
}

// tokenizer.json as it was read, and as it is made from what was understood of it.
TEST(TokenizerKinds, SurviveTheirFiles) {
  for (const char* name : {"wordpiece_uncased", "wordpiece_cased", "bart", "opt"}) {
    SCOPED_TRACE(name);
    const auto tokenizer = load_kind(name);
    const TempDir temp;
    tokenizer->save(temp.path());
    EXPECT_EQ(read_text_file(temp / "tokenizer.json", 1 << 24),
              read_text_file(kGolden / (std::string(name) + ".json"), 1 << 24));
    const auto copy = load_tokenizer(temp.path());
    EXPECT_EQ(copy->fingerprint(), tokenizer->fingerprint());
    EXPECT_EQ(copy->special(), tokenizer->special());
    EXPECT_EQ(copy->templates(), tokenizer->templates());
  }
}

// Writes vocab.txt, or vocab.json and merges.txt, of a golden tokenizer.
void write_vocabulary(const std::string& name, const TempDir& temp) {
  const Json file = Json::parse(read_text_file(kGolden / (name + ".json"), 1 << 24));
  const Json& model = file["model"];
  const auto write = [&](const char* target, const std::string& text) {
    atomic_write_file(temp / target, bytes_of(text));
  };
  if (model["type"] == "WordPiece") {
    std::vector<std::string> lines(model["vocab"].size());
    for (const auto& [token, id] : model["vocab"].items()) lines[id.get<std::size_t>()] = token;
    std::string text;
    for (const std::string& line : lines) text += line + "\r\n";
    return write("vocab.txt", text);
  }
  write("vocab.json", model["vocab"].dump());
  std::string merges = "#version: 0.2\n";
  for (const Json& merge : model["merges"]) {
    merges += merge[0].get<std::string>() + " " + merge[1].get<std::string>() + "\n";
  }
  write("merges.txt", merges);
}

struct Vocabularies {
  const char* name;
  const char* config;  // tokenizer_config.json
};

class VocabularyFiles : public testing::TestWithParam<Vocabularies> {};

TEST_P(VocabularyFiles, GiveTheSameTokenizerAsItsJson) {
  const TempDir temp;
  write_vocabulary(GetParam().name, temp);
  atomic_write_file(temp / "tokenizer_config.json", bytes_of(std::string_view(GetParam().config)));
  const auto tokenizer = load_tokenizer(temp.path());
  tokenizer->save(temp / "copy");
  const auto copy = load_tokenizer(temp / "copy");
  EXPECT_EQ(copy->fingerprint(), tokenizer->fingerprint());
  EXPECT_EQ(copy->special(), tokenizer->special());
  for (const Json& golden : cases()) {
    // OPT's configuration names none of these.
    const std::string first = golden["first"];
    const bool is_other = first.find("<s>") != first.npos;
    if (golden["tokenizer"] != GetParam().name || is_other) continue;
    expect_case(*tokenizer, golden, false);
    expect_case(*copy, golden, false);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, VocabularyFiles,
    testing::Values(Vocabularies{"wordpiece_cased", R"({"do_lower_case": false})"},
                    Vocabularies{"bart", R"({"tokenizer_class": "BartTokenizer"})"},
                    Vocabularies{"roberta_prefix_space", R"({"add_prefix_space": true})"},
                    Vocabularies{"opt",
                                 R"({"tokenizer_class": "GPT2Tokenizer", "add_bos_token": true,
          "bos_token": "</s>", "eos_token": "</s>", "unk_token": "</s>", "pad_token": "<pad>"})"}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(TokenizerKinds, KnowTheirSpecialTokens) {
  SpecialTokens bert;
  bert.pad = 0, bert.unk = 1, bert.cls = 2, bert.sep = 3, bert.mask = 4;
  EXPECT_EQ(load_kind("wordpiece_cased")->special(), bert);
  EXPECT_EQ(load_kind("wordpiece_cased")->end_of_text(), 3) << "[SEP]";
  SpecialTokens bart;
  bart.bos = bart.cls = 0, bart.pad = 1, bart.eos = bart.sep = 2, bart.unk = 3, bart.mask = 4;
  EXPECT_EQ(load_kind("bart")->special(), bart);
  EXPECT_EQ(load_kind("bart")->end_of_text(), 2) << "</s>";
}

// The map is what older programs write; tokenizer_config.json is believed first.
TEST(TokenizerKinds, SpecialTokensMayBeNamedBesideTheFile) {
  const TempDir temp;
  std::filesystem::copy_file(kGolden / "bart.json", temp / "tokenizer.json");
  const std::string map = R"({"bos_token": {"content": "</s>"}, "unk_token": "<pad>"})";
  atomic_write_file(temp / "special_tokens_map.json", bytes_of(map));
  atomic_write_file(temp / "tokenizer_config.json",
                    bytes_of(std::string_view(R"({"unk_token": "<unk>", "cls_token": null})")));
  const auto tokenizer = load_tokenizer(temp.path());
  EXPECT_EQ(tokenizer->special().bos, 2);
  EXPECT_EQ(tokenizer->special().unk, 3);
  EXPECT_EQ(tokenizer->special().cls, 0);
  tokenizer->save(temp / "copy");
  EXPECT_EQ(load_tokenizer(temp / "copy")->special(), tokenizer->special());
}

}  // namespace
}  // namespace ty::test
