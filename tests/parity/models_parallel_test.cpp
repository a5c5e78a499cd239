// The same numbers in every layout for models of other shapes than a decoder of texts: encoders
// with padding and types, projected embeddings, images, encoder-decoders, heads of labels and
// values.
#include <gtest/gtest.h>

#include <array>

#include "models/transformer/model_batch.h"
#include "tests/parity/one_rank.h"

namespace ty::test {
namespace {

// Sequences [first, first + count) of a batch.
HostBatch part_of_batch(const HostBatch& all, const Range& share) {
  HostBatch part = {all.first_sample + share.first, share.count, {}};
  for (const auto& [name, column] : all.columns) {
    const std::int64_t row = column.row.numel();
    const auto cut = [&](const auto& values) {
      using Values = std::decay_t<decltype(values)>;
      if (values.empty()) return Values();
      const auto first = values.begin() + share.first * row;
      return Values(first, first + share.count * row);
    };
    part.columns[name] = {column.row, cut(column.ids), cut(column.numbers)};
  }
  return part;
}

// Random columns; sequences are padded differently, and what is padding is no target.
HostBatch random_batch(const ModelSpec& spec, std::int64_t step, const Range& share) {
  const RandomStream stream(7, site_id("batch"), static_cast<std::uint64_t>(step));
  std::uint64_t drawn = 0;
  HostBatch all = model_batch(spec, kBatch, kLength, [&](std::int64_t limit) {
    return static_cast<std::int32_t>(stream.word(0, drawn++) % static_cast<std::uint64_t>(limit));
  });
  all.first_sample = step * kBatch;
  for (auto& [name, column] : all.columns) {
    for (float& number : column.numbers) {
      number = static_cast<float>(2.0 * uniform_open(stream.word(1, drawn++)) - 1.0);
    }
  }
  if (all.has(Column::lengths)) {
    std::vector<std::int32_t>& lengths = all.columns.at(Column::lengths).ids;
    for (std::int64_t s = 0; s < kBatch; ++s) {
      const auto length = static_cast<std::int32_t>(kLength - (s + step) % 5);
      lengths[static_cast<std::size_t>(s)] = length;
      if (spec.head.kind != HeadSpec::Kind::language) continue;
      const auto row = all.columns.at(Column::targets).ids.begin() + s * kLength;
      std::fill(row + length, row + kLength, -100);
    }
  }
  return part_of_batch(all, share);
}

void as_encoder(ModelSpec& spec) {
  spec.causal = spec.norm_first = spec.final_norm = false;
  spec.embedding_norm = true;
  spec.types = 2;
  spec.activation = UnaryOp::gelu_erf;
  spec.dropout.inner = spec.dropout.head = spec.dropout.residual;
}

struct NamedModel {
  const char* name;
  void (*change)(ModelSpec&);
};
constexpr std::array<NamedModel, 7> kModels = {{
    {"masked",
     [](ModelSpec& spec) {
       as_encoder(spec);
       spec.head = {.transform = true, .bias = true};
     }},
    {"labels",
     [](ModelSpec& spec) {
       as_encoder(spec);
       spec.head = {.kind = HeadSpec::Kind::labels, .labels = 3, .pooler = UnaryOp::tanh};
     }},
    {"values",
     [](ModelSpec& spec) {
       as_encoder(spec);
       spec.types = 0;
       spec.head = {.kind = HeadSpec::Kind::values, .labels = 1, .pooler = UnaryOp::relu};
     }},
    {"projected",
     [](ModelSpec& spec) {
       spec.norm_first = spec.final_norm = false;
       spec.embedding_width = 12;
       spec.position_offset = 2;
       spec.dropout.inner = spec.dropout.residual;
     }},
    {"last",
     [](ModelSpec& spec) {
       spec.head = {.kind = HeadSpec::Kind::labels,
                    .labels = 2,
                    .label_bias = false,
                    .pooling = Pooling::last};
     }},
    {"image",
     [](ModelSpec& spec) {
       spec.causal = false;
       spec.types = 2;
       spec.image = {.channels = 2, .size = 6, .patch = 2};
       spec.head = {.kind = HeadSpec::Kind::labels, .labels = 5};
     }},
    {"both",
     [](ModelSpec& spec) {
       spec.encoder_layers = 2;
       spec.norm_first = spec.final_norm = false;
       spec.embedding_norm = spec.scale_embedding = true;
       spec.position_offset = 2;
       spec.head.bias = true;
       spec.dropout.inner = spec.dropout.residual;
     }},
}};

constexpr const char* kRules[] = {
    "linear=[]",
    "linear=[{match: \"*\", kind: svd, rank: 1}, {match: \"*blocks.*\", kind: svd, rank: 5}]",
    "linear=[{match: \"*.attn.qkv\", kind: ttm, in: [12, 2], out: [12, 6], rank: 4}, "
    "{match: \"*.mlp.up\", kind: ttm, in: [4, 6], out: [12, 4], rank: 5}, "
    "{match: \"*.mlp.down\", kind: ttm, in: [12, 4], out: [4, 6], rank: 3}]"};

struct Axes {
  int data, tensor, pipeline;
};
constexpr std::array<Axes, 10> kLayouts = {{{2, 1, 1},
                                            {1, 2, 1},
                                            {1, 4, 1},
                                            {2, 2, 1},
                                            {1, 1, 2},
                                            {1, 1, 3},
                                            {2, 1, 2},
                                            {1, 2, 2},
                                            {1, 2, 3},
                                            {1, 1, 4}}};

// Every model in every layout; the other options are drawn.
std::vector<Case> cases() {
  std::vector<Case> all;
  std::uint64_t number = 0;
  for (const NamedModel& model : kModels) {
    for (const Axes& axes : kLayouts) {
      OptionDraws draws(5, number++);
      Case c = {fmt::format("{}_{}x{}x{}", model.name, axes.data, axes.tensor, axes.pipeline),
                axes.data,
                axes.tensor,
                axes.pipeline,
                {}};
      c.change = model.change;
      c.batch = random_batch;
      c.overrides = {"model={layers: 3, width: 24, heads: 4, inner: 48, context: 12, vocab: 19}",
                     "optim.lr=3e-3", "parallel.microbatches=2"};
      const auto kind = draws.below(3);
      c.overrides.emplace_back(kRules[kind]);
      c.name += std::array{"_dense", "_svd", "_ttm"}[kind];
      const auto take = [&](bool taken, const char* name, const char* override) {
        if (taken) c.add(name, override);
      };
      // An image has 10 tokens, a rank's two micro-batches 2 or 4 images.
      const bool has_rows = axes.tensor > 1 && !c.name.starts_with("image");
      take(has_rows && draws.one_in(2), "_rows", "parallel.sequence=true");
      take(draws.one_in(3), "_f64", "precision={compute: fp64, weights: fp64}");
      const char* const kRecompute[] = {"none", "selective", "block", "stage"};
      const char* recompute = kRecompute[draws.below(axes.pipeline > 1 ? 4 : 3)];
      c.name += fmt::format("_{}", recompute);
      c.overrides.push_back(fmt::format("parallel.recompute={}", recompute));
      const char* const kSchedules[] = {"gpipe", "1f1b", "varuna"};
      c.overrides.push_back(fmt::format("parallel.schedule={}", kSchedules[draws.below(3)]));
      take(draws.one_in(2), "_dropout", "model.dropout=0.2");
      take(draws.one_in(3), "_zero", "parallel.zero=1");
      all.push_back(std::move(c));
    }
  }
  return all;
}

// Each example twice, of layers that may differ between both.
std::vector<Case> cases_of_copies() {
  std::vector<Case> all;
  for (const Axes& axes : kLayouts) {
    Case c = {fmt::format("{}_{}x{}x{}", kModels[1].name, axes.data, axes.tensor, axes.pipeline),
              axes.data,
              axes.tensor,
              axes.pipeline,
              {"model={layers: 3, width: 24, heads: 4, inner: 48, context: 12, vocab: 19}",
               "optim.lr=3e-3", "parallel.microbatches=2", "model.dropout=0.1",
               "task={kind: classification, labels: 3, consistency: 1.5}",
               "linear=[{match: \"blocks.*\", kind: guided, steps: 8, mix: draw, of: {kind: svd, "
               "rank: 5}}]"}};
    c.change = kModels[1].change;
    c.batch = random_batch;
    if (all.size() % 2 == 0) c.add("_zero", "parallel.zero=1");
    if (all.size() % 3 == 0) c.add("_block", "parallel.recompute=block");
    all.push_back(std::move(c));
  }
  return all;
}

class ModelsInParallel : public testing::TestWithParam<Case> {};

TEST_P(ModelsInParallel, TakeTheStepsOfOneRank) { expect_same(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Layouts, ModelsInParallel, testing::ValuesIn(cases()),
                         [](const auto& test) { return test.param.name; });
INSTANTIATE_TEST_SUITE_P(Copies, ModelsInParallel, testing::ValuesIn(cases_of_copies()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace ty::test
