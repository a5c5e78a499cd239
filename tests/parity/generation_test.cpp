// Generated tokens do not depend on what is kept between passes, on the other prompts of a batch,
// or on how ranks share the model: every kind of layer, greedy, drawn and searched.
#include "models/generation/generation.h"

#include <gtest/gtest.h>

#include "launch/run/generation_plan.h"
#include "models/generation/beam_search.h"
#include "parallel/comm/threads/threads.h"
#include "tests/parity/tiny_training.h"

namespace ty::test {
namespace {

const std::vector<Ids> kPrompts = {{3, 1, 4}, {15}, {9, 2, 6, 5, 3, 5, 8}, {15}, {0, 18}};
constexpr std::int32_t kEnd = 7;

struct Kind {
  std::string name;
  config::Overrides overrides;
  void (*change)(ModelSpec&) = [](ModelSpec&) {};
};
const Kind kKinds[] = {
    {"dense", {}},
    {"untied", {"model.tied=false"}},
    {"svd", {"linear=[{match: \"*\", kind: svd, rank: 5}]"}},
    {"ttm",
     {"linear=[{match: \"*.attn.qkv\", kind: ttm, in: [12, 2], out: [12, 6], rank: 4}, {match: "
      "\"*.mlp.*\", kind: ttm, rank: 6}]"}},
    {"projected",
     {},
     [](ModelSpec& spec) {
       spec.norm_first = spec.final_norm = false;
       spec.embedding_width = 12;
       spec.position_offset = 2;
     }},
    {"encoded",
     {},
     [](ModelSpec& spec) {
       spec.encoder_layers = 1;
       spec.norm_first = spec.final_norm = false;
       spec.embedding_norm = spec.scale_embedding = true;
       spec.position_offset = 2;
     }},
};

struct SharedBy {
  std::string name;
  int tensor = 1, pipeline = 1;
  config::Overrides overrides = {};
};
const SharedBy kShared[] = {
    {"tensor", 2, 1},
    {"rows", 2, 1, {"parallel.sequence=true"}},
    {"stages", 1, 2},
    {"both", 2, 2},
    {"interleaved", 1, 2, {"parallel={schedule: interleaved, chunks: 2, microbatches: 2}"}},
};

// Prompts are texts for the encoder, where there is one.
// A model with large weights, so that many different tokens are likely.
class Subject {
 public:
  Subject(const Kind& kind, const Group& world, const SharedBy& by = {}, DType dtype = DType::f32)
      : Subject(kind, job_for(kind, by, dtype), world) {}
  Generator generator(bool cached) const {
    return {.model = *rank_.setup.model.model,
            .backend = *rank_.backend,
            .context = 12,
            .pipeline = rank_.layout.mesh.pipeline(),
            .cached = cached,
            .decoder_start = starts_ ? std::optional(3) : std::nullopt};
  }
  const TinyRank& rank() const { return rank_; }

 private:
  Subject(const Kind& kind, const JobConfig& job, const Group& world)
      : rank_(job, spec_for(kind, job), world), starts_(spec_for(kind, job).has_encoder()) {
    const Tensor& flat = rank_.setup.model.parameters->model();
    rank_.backend->axpby(flat.view(), 0.0, flat.view(), 6.0);
  }
  static ModelSpec spec_for(const Kind& kind, const JobConfig& job) {
    ModelSpec spec = planned_model(job);
    kind.change(spec);
    return spec;
  }
  static JobConfig job_for(const Kind& kind, const SharedBy& by, DType dtype) {
    config::Overrides overrides = kind.overrides;
    overrides.insert(overrides.end(), by.overrides.begin(), by.overrides.end());
    if (dtype == DType::bf16) overrides.push_back("precision={compute: bf16, weights: fp32}");
    JobConfig job = tiny_job(1, by.tensor, overrides);
    job.parallel.pipeline = by.pipeline;
    return job;
  }
  TinyRank rank_;
  bool starts_;  // an encoder-decoder's decoder
};

struct Way {
  std::string name;
  std::int64_t tokens;
  double temperature;
  std::int64_t beams = 0;
};
// 12 is the context: with 5 tokens all fit.
const Way kWays[] = {{"greedy", 5, 0.0},       {"drawn", 5, 1.0},       {"beams", 5, 0, 3},
                     {"greedy long", 20, 0.0}, {"drawn long", 20, 1.3}, {"beams long", 20, 0, 2}};

std::vector<Ids> made_by(const Generator& generator, const Way& way,
                         const std::vector<Ids>& prompts = kPrompts) {
  const TextIds text = {.end = kEnd, .none = {2, 11}, .size = 18};
  if (way.beams > 0) {
    return beam_search(generator, text, prompts, {.max_tokens = way.tokens, .beams = way.beams});
  }
  return generate(generator, text, prompts,
                  {.max_tokens = way.tokens, .temperature = way.temperature, .seed = 5});
}

TEST(Generation, WithACacheIsThatWithout) {
  for (const Kind& kind : kKinds) {
    const Subject subject(kind, Group());
    for (const Way& way : kWays) {
      const std::vector<Ids> wanted = made_by(subject.generator(false), way);
      EXPECT_EQ(made_by(subject.generator(true), way), wanted) << kind.name << " " << way.name;
    }
  }
}

TEST(Generation, OfAPromptDoesNotDependOnTheOthers) {
  for (const Kind& kind : kKinds) {
    const Subject subject(kind, Group());
    for (const Way& way : kWays) {
      const std::vector<Ids> together = made_by(subject.generator(true), way);
      for (std::size_t i = 0; i < kPrompts.size(); ++i) {
        EXPECT_EQ(together[i], made_by(subject.generator(true), way, {kPrompts[i]}).front())
            << kind.name << " " << way.name << " " << i;
      }
      EXPECT_EQ(together[1], together[3]) << way.name;
    }
  }
}

TEST(Generation, StopsAtTheEndOfTextAndDrawsOnlyTexts) {
  const Subject subject(kKinds[0], Group());
  bool ended = false;
  std::set<std::int32_t> met;
  for (std::int32_t first = 0; first < 19; ++first) {
    const Way way = {"", 8, 1.0};
    const Ids ids = made_by(subject.generator(true), way, {{first}}).front();
    ended = ended || ids.size() < 8;
    met.insert(ids.begin(), ids.end());
  }
  EXPECT_TRUE(ended) << "of 19 texts none met its end";
  EXPECT_GT(met.size(), 8u);
  for (const std::int32_t id : {2, kEnd, 11, 18}) EXPECT_FALSE(met.contains(id)) << id;
}

TEST(Generation, IsTheSameOnRanksThatShareTheModel) {
  for (const Kind& kind : kKinds) {
    const Subject alone(kind, Group());
    std::vector<std::vector<Ids>> wanted;
    for (const Way& way : kWays) wanted.push_back(made_by(alone.generator(false), way));
    for (const SharedBy& by : kShared) {
      run_ranks(by.tensor * by.pipeline, [&](const Group& world) {
        const Subject subject(kind, world, by);
        for (std::size_t i = 0; i < std::size(kWays); ++i) {
          EXPECT_EQ(made_by(subject.generator(true), kWays[i]), wanted[i])
              << kind.name << " " << by.name << " " << kWays[i].name;
        }
      });
    }
  }
}

TEST(Generation, InBf16WithACacheIsThatWithout) {
  for (const std::size_t kind : {std::size_t{0}, std::size(kKinds) - 1}) {
    const Subject subject(kKinds[kind], Group(), {}, DType::bf16);
    for (const Way& way : kWays) {
      EXPECT_EQ(made_by(subject.generator(true), way), made_by(subject.generator(false), way))
          << kKinds[kind].name << " " << way.name;
    }
  }
}

TEST(Generation, StreamsEachTokenOnceAndInOrder) {
  const Subject subject(kKinds[0], Group());
  std::vector<Ids> streamed(kPrompts.size());
  const std::vector<Ids> made =
      generate(subject.generator(true), {.end = kEnd}, kPrompts, {.max_tokens = 6, .seed = 2},
               [&](std::size_t prompt, std::int32_t id) { streamed[prompt].push_back(id); });
  EXPECT_EQ(streamed, made);
}

TEST(Generation, RefusesNumbersThatAreNotFinite) {
  const Subject subject(kKinds[0], Group());
  const Tensor& flat = subject.rank().setup.model.parameters->model();
  subject.rank().backend->fill(flat.view(), std::numeric_limits<double>::quiet_NaN());
  EXPECT_THROW(generate(subject.generator(true), {}, kPrompts, {}), NonFiniteError);
}

TEST(GenerationPlan, IsWhatARunTakes) {
  const ModelSpec spec = {.layers = 2, .width = 24, .heads = 4, .context = 12, .vocab = 19};
  for (const bool cached : {true, false}) {
    for (const std::int64_t passes : {1, 5, 20}) {
      const auto backend = make_backend(DeviceChoice::cpu);
      OpenedModel opened = declare_model(spec, *backend, only_run(), 1, 1, {});
      opened.parameters->initialise(1);
      const Generator generator = {
          .model = *opened.model, .backend = *backend, .context = 12, .cached = cached};
      backend->memory().reset_peak();
      generate(generator, {}, {{1, 2, 3}, {4}}, {.max_tokens = passes, .temperature = 0});
      const GenerationPlan plan = plan_generation(
          spec, DType::f32,
          {.prompts = {3, 1}, .max_tokens = passes, .passes = passes, .cached = cached});
      EXPECT_EQ(backend->memory().stats().total_peak, plan.memory.total_peak)
          << cached << " " << passes;
      // Keys and values of 2 layers of 24 numbers, for each token but the last.
      const std::int64_t tokens = std::min<std::int64_t>(12, 3 + passes - 1);
      EXPECT_EQ(plan.cache_bytes, cached ? 2 * 2 * 2 * 24 * 4 * tokens : 0) << passes;
    }
  }
}

// Keys and values of a source are there once, however many beams read them.
TEST(GenerationPlan, CountsWhatAnEncoderReturned) {
  ModelSpec spec = {.family = "bart", .layers = 2, .encoder_layers = 1, .width = 24, .heads = 4};
  spec.context = 12;
  spec.vocab = 19;
  for (const std::int64_t passes : {1, 5}) {
    const auto backend = make_backend(DeviceChoice::cpu);
    OpenedModel opened = declare_model(spec, *backend, only_run(), 1, 1, {});
    opened.parameters->initialise(1);
    const Generator generator = {
        .model = *opened.model, .backend = *backend, .context = 12, .decoder_start = 3};
    backend->memory().reset_peak();
    beam_search(generator, {}, {{1, 2, 3, 4, 5, 6, 7}, {4}}, {.max_tokens = passes, .beams = 3});
    const GenerationPlan plan = plan_generation(
        spec, DType::f32, {.prompts = {7, 1}, .max_tokens = passes, .passes = passes, .beams = 3});
    EXPECT_EQ(backend->memory().stats().total_peak, plan.memory.total_peak) << passes;
    const std::int64_t token = 2 * 2 * 24 * 4;  // keys and values of 2 layers of 24 numbers
    EXPECT_EQ(plan.cache_bytes, token * (2 * 7 + (passes > 1 ? 6 : 2) * passes)) << passes;
  }
}

}  // namespace
}  // namespace ty::test
