// What a model reads of a text, and the text of what it writes: spaces, special tokens, beginnings
// and ends, with tokenizers as published models have them (tests/golden/tokenizer_kinds).
#include "launch/run/text_generator.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "launch/run/model_setup.h"
#include "tests/support/messages.h"
#include "tests/support/temp_dir.h"

namespace ty::test {
namespace {

constexpr std::int32_t kBegin = 0, kEnd = 2;  // <s> and </s>

ModelSpec spec_of(const std::string& family, std::int64_t vocab) {
  return {.family = family,
          .layers = 1,
          .encoder_layers = family == "bart" ? 1 : 0,
          .width = 16,
          .heads = 2,
          .context = 20,
          .vocab = vocab,
          .norm_first = family != "bart"};
}

// A random model beside a tokenizer of tests/golden/tokenizer_kinds.
class Subject {
 public:
  explicit Subject(const std::string& family, const std::string& keys = "{}") {
    const Path golden = Path(TY_GOLDEN_DIR) / "tokenizer_kinds" / (family + ".json");
    std::filesystem::copy_file(golden, directory_.path() / "tokenizer.json");
    std::ofstream(directory_.path() / "generation_config.json") << keys;
    tokenizer_ = load_tokenizer(directory_.path());
    const ModelSpec spec = spec_of(family, tokenizer_->vocab_size());
    shared_.emplace(SharedModel{Mesh(Group(), MeshShape{}),
                                declare_model(spec, *backend_, only_run(), 1, 1, {})});
    shared_->opened.parameters->initialise(3);
  }
  TextGenerator generator() const {
    return TextGenerator(directory_.path(), *shared_, *tokenizer_, *backend_);
  }
  const Tokenizer& tokenizer() const { return *tokenizer_; }

 private:
  TempDir directory_;
  std::unique_ptr<Tokenizer> tokenizer_;
  std::unique_ptr<Backend> backend_ = make_backend(DeviceChoice::cpu);
  std::optional<SharedModel> shared_;
};

const std::string kTexts[] = {"The model reads  two spaces, and it's 3 lines.\n\n And goes on",
                              " begins with a space", "na\xC3\xAFve caf\xC3\xA9 \xF0\x9F\x98\x80!"};

TEST(TextGenerator, GoesOnWithAPromptAsTheTextStands) {
  const Subject subject("opt");
  const TextGenerator generator = subject.generator();
  EXPECT_FALSE(generator.answers());
  for (const std::string& text : kTexts) {
    const Ids ids = generator.ids_of(text);
    EXPECT_EQ(ids.front(), kEnd);  // with which texts begin there
    for (std::size_t k = 1; k <= ids.size(); ++k) {
      const Ids first(ids.begin() + 1, ids.begin() + static_cast<std::ptrdiff_t>(k)),
          rest(ids.begin() + static_cast<std::ptrdiff_t>(k), ids.end());
      const std::string prompt = subject.tokenizer().decode(first);
      if (prompt.empty() || subject.tokenizer().encode(prompt) != first) continue;
      EXPECT_EQ(generator.text_of(prompt, rest), text) << k;
    }
  }
}

TEST(TextGenerator, ShowsNoSpecialTokens) {
  const Subject subject("opt");
  const Ids words = subject.tokenizer().encode(" two words");
  Ids made = {kBegin};
  made.insert(made.end(), words.begin(), words.end());
  made.push_back(kEnd);
  EXPECT_EQ(subject.generator().text_of("And", made), "And two words");
  EXPECT_EQ(subject.generator().text_of("", made), " two words");
}

TEST(TextGenerator, BeginsADocumentWithoutAPrompt) {
  EXPECT_EQ(Subject("opt").generator().ids_of(""), Ids{kEnd});
}

TEST(TextGenerator, GivesAnEncoderTheWholeTemplate) {
  const Subject subject("bart");
  const TextGenerator generator = subject.generator();
  EXPECT_TRUE(generator.answers());
  Ids wanted = subject.tokenizer().encode(kTexts[0]);
  wanted.insert(wanted.begin(), kBegin);
  wanted.push_back(kEnd);
  ASSERT_GT(wanted.size(), 20u);
  EXPECT_EQ(generator.ids_of(kTexts[0]), wanted);
  // What is too long loses its end, but not the token there.
  wanted.resize(20);
  wanted.back() = kEnd;
  EXPECT_EQ(generator.fitting_ids_of(kTexts[0]), wanted);
  EXPECT_EQ(generator.fitting_ids_of("word"), generator.ids_of("word"));
}

TEST(TextGenerator, AnswersWithTheNewTextAlone) {
  const Subject subject("bart");
  const Ids made = subject.tokenizer().encode("<s>The answer");
  EXPECT_EQ(subject.generator().text_of("A question", made), "The answer");
}

TEST(TextGenerator, ForcesWhatTheDirectorySays) {
  const Subject subject("bart",
                        R"({"decoder_start_token_id": 2, "forced_bos_token_id": 0,
                            "forced_eos_token_id": [7]})");
  const GenerationMethod method = {.sampling = {.max_tokens = 4, .seed = 2}};
  const TextGenerator generator = subject.generator();
  const Ids made = generator.make({generator.ids_of("a text")}, method).front();
  ASSERT_EQ(made.size(), 4u);
  EXPECT_EQ(made.front(), kBegin);
  EXPECT_EQ(made.back(), 7);
}

TEST(TextGenerator, MakesManyTextsAsEachAlone) {
  for (const char* family : {"opt", "bart"}) {
    const Subject subject(family);
    const TextGenerator generator = subject.generator();
    for (const bool searched : {false, true}) {
      GenerationMethod method = {.sampling = {.max_tokens = 8, .seed = 5}};
      if (searched) method.beams = BeamOptions{.max_tokens = 8, .beams = 2};
      const std::vector<std::string> together = generator.texts_for(kTexts, method, 2);
      ASSERT_EQ(together.size(), std::size(kTexts));
      for (std::size_t i = 0; i < together.size(); ++i) {
        EXPECT_EQ(generator.texts_for(std::span(kTexts).subspan(i, 1), method, 1).front(),
                  together[i])
            << family << " " << i;
      }
    }
  }
}

TEST(TextGenerator, RefusesKeysThatAreNoIds) {
  for (const char* keys : {R"({"forced_bos_token_id": 900})", R"({"forced_eos_token_id": [1, 2]})",
                           R"({"decoder_start_token_id": "two"})"}) {
    const Subject subject("bart", keys);
    EXPECT_THROW(subject.generator(), DataError) << keys;
  }
}

TEST(TextGenerator, RefusesModelsThatWriteNoTexts) {
  const auto why = [](const ModelSpec& spec) {
    return message_of<DataError>([&] { require_writer("m", spec); });
  };
  ModelSpec encoder = {.family = "bert", .causal = false};
  EXPECT_EQ(why(encoder),
            "m: a model of family bert cannot generate: it reads texts and writes none; want a "
            "decoder or an encoder-decoder with a language head");
  ModelSpec labels = {.family = "opt", .head = {.kind = HeadSpec::Kind::labels, .labels = 2}};
  EXPECT_NE(why(labels).find("this head does not give the next token"), std::string::npos);
  ModelSpec images = {.family = "vit", .image = {.patch = 4}, .causal = false};
  EXPECT_NE(why(images).find("it reads images"), std::string::npos);
}

}  // namespace
}  // namespace ty::test
