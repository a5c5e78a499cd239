// Texts as the `transformers` library makes them (tests/golden/generation), whatever is kept
// between passes and whatever else is in the batch.
#include "models/generation/beam_search.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "models/generation/generation.h"
#include "models/huggingface/generation_keys.h"
#include "models/huggingface/model_directory.h"
#include "tests/support/threads.h"

namespace ty::test {
namespace {

const Path kGolden = Path(TY_GOLDEN_DIR) / "generation";
constexpr std::int32_t kEnd = 25;

RepetitionRules rules_of(const nlohmann::json& options) {
  return {.no_repeat_ngram = options.value("no_repeat_ngram_size", 0),
          .penalty = options.value("repetition_penalty", 1.0)};
}

EarlyStop early_stop_of(const nlohmann::json& options) {
  const nlohmann::json value = options.value("early_stopping", nlohmann::json(false));
  if (value.is_string()) return EarlyStop::never;
  return value.get<bool>() ? EarlyStop::yes : EarlyStop::no;
}

TextIds text_of(const nlohmann::json& options) {
  TextIds text = {.end = kEnd};
  if (options.contains("forced_bos_token_id")) text.forced_first = options["forced_bos_token_id"];
  if (options.contains("forced_eos_token_id")) text.forced_last = options["forced_eos_token_id"];
  return text;
}

std::vector<Ids> made_by(const Generator& generator, const nlohmann::json& options,
                         std::int64_t tokens, const std::vector<Ids>& prompts) {
  const std::int64_t beams = options.at("num_beams");
  if (beams == 1) {
    return generate(generator, text_of(options), prompts,
                    {.max_tokens = tokens, .temperature = 0.0, .repetition = rules_of(options)});
  }
  return beam_search(generator, text_of(options), prompts,
                     {.max_tokens = tokens,
                      .beams = beams,
                      .length_penalty = options.value("length_penalty", 1.0),
                      .early_stop = early_stop_of(options),
                      .repetition = rules_of(options)});
}

class GoldenTexts : public testing::TestWithParam<const char*> {
 protected:
  GoldenTexts() { threads_.set(1); }  // the models are tiny

  Threads threads_;
  Path folder_ = kGolden / GetParam();
  std::unique_ptr<Backend> backend_ = make_cpu_backend();
  OpenedModel opened_ = open_model(folder_ / "model", *backend_, only_run());

  Generator generator(bool cached) const {
    return {.model = *opened_.model,
            .backend = *backend_,
            .context = opened_.spec.context,
            .cached = cached,
            .decoder_start = read_generation_keys(folder_ / "model", opened_.spec).decoder_start};
  }
};

TEST_P(GoldenTexts, AreThoseOfThePublicLibrary) {
  const nlohmann::json cases = nlohmann::json::parse(std::ifstream(folder_ / "cases.json"));
  // Cases that differ in their prompts alone are one batch.
  struct Group {
    std::vector<Ids> prompts, wanted;
  };
  std::map<std::pair<std::string, std::int64_t>, Group> groups;
  std::size_t ended = 0;
  for (const nlohmann::json& c : cases) {
    Group& group = groups[{c.at("options").dump(), c.at("max_new_tokens")}];
    group.prompts.push_back(c.at("prompt"));
    group.wanted.push_back(c.at("ids"));
    ended += group.wanted.back().size() < c.at("max_new_tokens").get<std::size_t>();
  }
  EXPECT_GT(ended, 0u) << "no case meets an end";
  EXPECT_GT(groups.size(), 30u);
  for (const bool cached : {true, false}) {
    for (const auto& [key, group] : groups) {
      const nlohmann::json options = nlohmann::json::parse(key.first);
      EXPECT_EQ(made_by(generator(cached), options, key.second, group.prompts), group.wanted)
          << key.first << " " << key.second << " tokens, cached " << cached;
    }
  }
}

// Each prompt alone without a cache, and all of them together with one; past the context of 48 too.
TEST_P(GoldenTexts, DoNotDependOnTheCacheOrTheBatch) {
  const std::vector<Ids> prompts = {{5, 11, 2}, {7}, {20, 1, 1, 9, 14, 8}, {17, 26}, {7}};
  const auto expect_same = [&](const std::string& what, const auto& make) {
    const std::vector<Ids> together = make(generator(true), prompts);
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      EXPECT_EQ(make(generator(false), std::vector<Ids>{prompts[i]}).front(), together[i])
          << what << " " << i;
    }
  };
  for (const std::int64_t tokens : {20, 55}) {
    for (const double temperature : {0.0, 0.8, 2.0}) {
      expect_same(fmt::format("{} tokens at {}", tokens, temperature),
                  [&](const auto& by, const auto& from) {
                    return generate(by, {.end = kEnd}, from,
                                    {.max_tokens = tokens, .temperature = temperature, .seed = 3});
                  });
    }
    expect_same(fmt::format("{} tokens of 3 beams", tokens), [&](const auto& by, const auto& from) {
      return beam_search(by, {}, from, {.max_tokens = tokens, .beams = 3});
    });
  }
}

INSTANTIATE_TEST_SUITE_P(, GoldenTexts, testing::Values("gpt2", "opt", "opt_projected", "bart"),
                         [](const auto& each) { return std::string(each.param); });

TEST(BeamSearch, OfOneBeamIsGreedy) {
  Threads threads;
  threads.set(1);
  const auto backend = make_cpu_backend();
  const OpenedModel opened = open_model(kGolden / "gpt2" / "model", *backend, only_run());
  const Generator generator = {
      .model = *opened.model, .backend = *backend, .context = opened.spec.context};
  const std::vector<Ids> prompts = {{5, 11, 2}, {7}};
  EXPECT_EQ(beam_search(generator, {}, prompts, {.max_tokens = 20, .beams = 1}),
            generate(generator, {}, prompts, {.max_tokens = 20, .temperature = 0.0}));
}

// The best first token leads into a poor second one; two beams look past it.
TEST(BeamSearch, FindsWhatGreedySearchMisses) {
  const std::vector<float> first = {-0.5f, -1.0f, -9.0f};
  const std::vector<float> poor = {-3.0f, -4.0f, -5.0f}, good = {-9.0f, -0.1f, -9.0f};
  for (const std::int64_t beams : {1, 2}) {
    BeamSearch search({.max_tokens = 2, .beams = beams});
    const auto steps = search.advance({first}, std::vector<Ids>{{}}, std::nullopt);
    ASSERT_EQ(std::ssize(steps), beams);
    std::vector<std::vector<float>> scores;
    std::vector<Ids> ids;
    for (const BeamSearch::Step& step : steps) {
      scores.push_back(step.id == 0 ? poor : good);
      ids.push_back({step.id});
    }
    EXPECT_TRUE(search.advance(scores, ids, std::nullopt).empty());
    EXPECT_EQ(search.best(), beams == 1 ? (Ids{0, 0}) : (Ids{1, 1}));
  }
}

}  // namespace
}  // namespace ty::test
