// Beams and greedy search as the `transformers` library makes them (tests/golden/generation).
#include "models/generation/beam_search.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "models/generation/generation.h"
#include "models/huggingface/model_directory.h"
#include "tests/support/threads.h"

namespace ty::test {
namespace {

const Path kGolden = Path(TY_GOLDEN_DIR) / "generation";
const TextIds kText = {.end = 25};

RepetitionRules rules_of(const nlohmann::json& options) {
  return {.no_repeat_ngram = options.value("no_repeat_ngram_size", 0),
          .penalty = options.value("repetition_penalty", 1.0)};
}

EarlyStop early_stop_of(const nlohmann::json& options) {
  const nlohmann::json value = options.value("early_stopping", nlohmann::json(false));
  if (value.is_string()) return EarlyStop::never;
  return value.get<bool>() ? EarlyStop::yes : EarlyStop::no;
}

std::vector<Ids> made_by(const Generator& generator, const nlohmann::json& options,
                         std::int64_t tokens, const std::vector<Ids>& prompts) {
  const std::int64_t beams = options.at("num_beams");
  if (beams == 1) {
    return generate(generator, kText, prompts,
                    {.max_tokens = tokens, .temperature = 0.0, .repetition = rules_of(options)});
  }
  return beam_search(generator, kText, prompts,
                     {.max_tokens = tokens,
                      .beams = beams,
                      .length_penalty = options.value("length_penalty", 1.0),
                      .early_stop = early_stop_of(options),
                      .repetition = rules_of(options)});
}

TEST(BeamSearch, GivesTheTokensOfThePublicLibrary) {
  Threads threads;
  threads.set(1);  // the model is tiny
  const auto backend = make_cpu_backend();
  const OpenedModel opened = open_model(kGolden / "model", *backend, only_run());
  const nlohmann::json cases = nlohmann::json::parse(std::ifstream(kGolden / "cases.json"));
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
  EXPECT_GT(ended, cases.size() / 4) << "too few cases meet an end";
  EXPECT_GT(groups.size(), 30u);
  for (const bool cached : {true, false}) {
    const Generator generator = {.model = *opened.model,
                                 .backend = *backend,
                                 .context = opened.spec.context,
                                 .cached = cached};
    for (const auto& [key, group] : groups) {
      const nlohmann::json options = nlohmann::json::parse(key.first);
      EXPECT_EQ(made_by(generator, options, key.second, group.prompts), group.wanted)
          << key.first << " " << key.second << " tokens, cached " << cached;
    }
  }
}

TEST(BeamSearch, OfOneBeamIsGreedy) {
  const auto backend = make_cpu_backend();
  const OpenedModel opened = open_model(kGolden / "model", *backend, only_run());
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
