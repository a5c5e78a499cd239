// The same numbers however a model's layers are shared by ranks: every kind of layer, own rows or
// not, with data ranks, recomputation, sharded optimizer, micro-batches and dropout.
#include <gtest/gtest.h>

#include <array>

#include "models/objective/chunked_loss.h"
#include "tests/parity/one_rank.h"
#include "tests/support/messages.h"

namespace ty::test {
namespace {

// Kinds of layers. In "whole" no first mode can be divided by 2 or 4, so ranks hold cores whole; of
// "svd_auto", ranks with own rows choose to.
const std::vector<std::pair<std::string, config::Overrides>>& kinds() {
  static const std::vector<std::pair<std::string, config::Overrides>> all = {
      {"dense", {}},
      {"svd", {"linear=[{match: \"*\", kind: svd, rank: 5, layout: split}]"}},
      {"svd_auto", {"linear=[{match: \"*\", kind: svd, rank: 3}]"}},
      {"svd_by_rank", {"linear=[{match: \"blocks.*\", kind: svd, rank: 12, layout: rank}]"}},
      {"svd_hidden", {"linear=[{match: \"blocks.*\", kind: svd, rank: 5, layout: hidden}]"}},
      {"svd_silu", {"linear=[{match: \"*blocks.*\", kind: svd, rank: 5, activation: silu}]"}},
      {"svd_by_rank_gelu",
       {"linear=[{match: \"blocks.*\", kind: svd, rank: 12, activation: gelu, layout: rank}]"}},
      {"svd_hidden_relu",
       {"linear=[{match: \"blocks.*\", kind: svd, rank: 5, activation: relu, layout: hidden}]"}},
      {"svd_hidden_head", {"linear=[{match: \"*\", kind: svd, rank: 5, layout: hidden}]"}},
      {"svd_hidden_mixed",
       {"linear=[{match: \"*.mlp.down\", kind: svd, rank: 5, layout: hidden}, {match: "
        "\"*.attn.out\", kind: svd, rank: 4}, {match: \"*.mlp.up\", kind: ttm, in: [4, 6], out: "
        "[12, 4], rank: 5}]"}},
      {"lax", {"linear=[{match: \"blocks.*\", kind: lax, rank: 5, activation: silu}]"}},
      {"ttm",
       {"linear=[{match: \"*.attn.qkv\", kind: ttm, in: [12, 2], out: [12, 6], rank: 4}, "
        "{match: \"*.attn.out\", kind: ttm, in: [12, 2], out: [4, 6], rank: 3}, "
        "{match: \"*.mlp.up\", kind: ttm, in: [4, 6], out: [12, 4], rank: 5}, "
        "{match: \"*.mlp.down\", kind: ttm, in: [12, 2, 2], out: [4, 3, 2], ranks: [4, 3]}]"}},
      {"ttm_split",
       {"linear=[{match: \"*.attn.qkv\", kind: ttm, in: [12, 2], out: [12, 6], rank: 4, layout: "
        "split}, {match: \"*.mlp.up\", kind: ttm, in: [4, 6], out: [12, 4], rank: 5, layout: "
        "split}, "
        "{match: \"*.mlp.down\", kind: ttm, in: [12, 4], out: [4, 6], rank: 3, layout: split}]"}},
      {"whole",
       {"linear=[{match: \"*.attn.qkv\", kind: ttm, in: [3, 8], out: [9, 8], rank: 4}, "
        "{match: \"*.attn.out\", kind: ttm, in: [3, 8], out: [3, 8], rank: 3}, "
        "{match: \"*.mlp.up\", kind: ttm, rank: 4, in: [3, 8], out: [3, 16]}, "
        "{match: \"*.mlp.down\", kind: ttm, rank: 4, in: [3, 16], out: [3, 8]}]"}},
      {"mixed",
       {"linear=[{match: \"*.mlp.up\", kind: svd, rank: 4}, {match: \"*.attn.qkv\", kind: ttm, "
        "in: [12, 2], out: [12, 6], rank: 4}, {match: embeddings.token, kind: svd, rank: 6}]"}}};
  return all;
}

// Every layout with every kind, own rows or not; the other options are drawn, so that each meets
// the others.
std::vector<Case> cases() {
  constexpr std::array kLayouts = {std::pair(1, 2), std::pair(1, 4), std::pair(2, 1),
                                   std::pair(2, 2), std::pair(2, 4), std::pair(4, 1),
                                   std::pair(4, 2), std::pair(1, 3), std::pair(3, 1)};
  std::vector<Case> all;
  std::uint64_t number = 0;
  for (const auto& [data, tensor] : kLayouts) {
    for (const auto& [kind, rules] : kinds()) {
      for (const bool rows : {false, true}) {
        if (rows &&
            (tensor == 1 || kind.starts_with("svd_by_rank") || kind.starts_with("svd_hidden")))
          continue;
        Case c = {fmt::format("{}x{}_{}{}", data, tensor, kind, rows ? "_rows" : ""), data, tensor,
                  1, rules};
        OptionDraws draws(1, number++);
        const auto take = [&](bool taken, const char* name, const char* override) {
          if (taken) c.add(name, override);
        };
        c.overrides.emplace_back("optim.lr=3e-3");
        if (rows) c.overrides.emplace_back("parallel.sequence=true");
        take(draws.one_in(2), "_f64", "precision={compute: fp64, weights: fp64}");
        const bool selective = draws.one_in(3);
        take(selective, "_selective", "parallel.recompute=selective");
        take(!selective && draws.one_in(2), "_block", "parallel.recompute=block");
        take(draws.one_in(2), "_dropout", "model.dropout=0.2");
        take(draws.one_in(3), "_untied", "model.tied=false");
        take(draws.one_in(3), "_zero", "parallel.zero=1");
        take(data != 3 && draws.one_in(3), "_parts", "parallel.microbatches=2");
        take(draws.one_in(3), "_smooth", "task={label_smoothing: 0.1, z_loss: 1e-3}");
        all.push_back(std::move(c));
      }
    }
  }
  return all;
}

class Shared : public testing::TestWithParam<Case> {};

TEST_P(Shared, ModelsTakeTheStepsOfOneRank) { expect_same(GetParam(), 2.0); }

INSTANTIATE_TEST_SUITE_P(Layers, Shared, testing::ValuesIn(cases()),
                         [](const auto& test) { return test.param.name; });

// What the draws above may leave out: every part of a model between own columns.
std::vector<Case> hidden_cases() {
  const auto rules_of = [](const std::string& name) {
    const auto found = std::find_if(kinds().begin(), kinds().end(),
                                    [&](const auto& each) { return each.first == name; });
    return found->second;
  };
  std::vector<Case> all;
  for (const char* kind : {"svd_hidden", "svd_hidden_head", "svd_hidden_mixed"}) {
    for (const char* recompute : {"none", "selective", "block"}) {
      for (const bool tied : {true, false}) {
        Case c = {fmt::format("2x3_{}_{}_{}", kind, recompute, tied ? "tied" : "untied"), 2, 3, 1,
                  rules_of(kind)};
        c.overrides.push_back("model={dropout: 0.2, tied: " +
                              std::string(tied ? "true}" : "false}"));
        c.overrides.emplace_back("optim.lr=3e-3");
        c.overrides.emplace_back("precision={compute: fp64, weights: fp64}");
        c.overrides.push_back(fmt::format("parallel.recompute={}", recompute));
        all.push_back(std::move(c));
      }
    }
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Hidden, Shared, testing::ValuesIn(hidden_cases()),
                         [](const auto& test) { return test.param.name; });

// Tables of factors, read by ids alone and by a head too. Ranks divide the first mode of rows.
std::vector<Case> table_cases() {
  std::vector<Case> all;
  for (const auto& [kind, sizes] :
       {std::pair("svd", "rank: 5"), std::pair("row_trains", "out: [4, 6], rank: 2"),
        std::pair("ttm", "in: [12, 2], out: [6, 5], rank: 4"),
        std::pair("ttm",
                  "in: [12, 2], out: [6, 4], rank: 5}, {match: \"blocks.*\", kind: svd, "
                  "rank: 4, layout: hidden")}) {
    const bool hidden = std::string_view(sizes).ends_with("hidden");
    for (const auto& [data, tensor] : {std::pair(1, 2), std::pair(1, 3), std::pair(2, 4)}) {
      for (const bool tied : {true, false}) {
        for (const bool rows : {false, true}) {
          if (rows && hidden) continue;
          all.push_back(
              {fmt::format("{}x{}_table_{}_{}{}", data, tensor, kind, tied ? "tied" : "untied",
                           rows     ? "_rows"
                           : hidden ? "_hidden"
                                    : ""),
               data,
               tensor,
               1,
               {fmt::format("model={{vocab: 24, tied: {}}}", tied), "optim.lr=3e-3",
                "precision={compute: fp64, weights: fp64}",
                fmt::format("linear=[{{match: embeddings.token, kind: {}, {}}}]", kind, sizes),
                fmt::format("parallel.sequence={}", rows), "parallel.microbatches=2"}});
        }
      }
    }
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Tables, Shared, testing::ValuesIn(table_cases()),
                         [](const auto& test) { return test.param.name; });

std::string refusal_of_table(const char* rule, const char* more) {
  return message_of<ConfigError>([&] {
    const JobConfig job = job_of(
        {.name = "refused",
         .tensor = 2,
         .overrides = {fmt::format("linear=[{{match: embeddings.token, {}}}]", rule), more}});
    run_ranks(2, [&](const Group& world) { TinyRank(job, world); });
  });
}

TEST(TokenTable, OfCoresSaysWhatRanksCannotShare) {
  EXPECT_TRUE(
      contains(refusal_of_table("kind: ttm, in: [4, 5], out: [6, 4], rank: 2", "run.seed=1"),
               "linear[0]: embeddings.token [19, 24]: ttm over 2 ranks: in modes [4, 5] "
               "multiply to 20, not to the layer's 19"));
  EXPECT_TRUE(
      contains(refusal_of_table("kind: ttm, in: [3, 8], out: [6, 4], rank: 2", "model.vocab=24"),
               "the first of the in modes [3, 8] is no multiple of 2"));
  EXPECT_TRUE(contains(refusal_of_table("kind: ttm, in: [4, 6], out: [6, 4], rank: 2",
                                        "parallel.reduction=canonical"),
                       "a ttm table has no canonical sums; want kind: dense or svd, or "
                       "parallel.reduction: fast"));
}

std::vector<Case> narrow_cases() {
  std::vector<Case> all;
  for (const auto& [kind, rules] : kinds()) {
    Case c = {fmt::format("2x2_{}_bf16", kind), 2, 2, 1, rules};
    c.overrides.emplace_back("optim.lr=3e-3");
    c.overrides.emplace_back("precision={compute: bf16, weights: fp32}");
    c.overrides.emplace_back("model.dropout=0.2");
    all.push_back(std::move(c));
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Narrow, Shared, testing::ValuesIn(narrow_cases()),
                         [](const auto& test) { return test.param.name; });

// The mean loss per target of a batch under an objective, before any step.
double loss_of(const TrainingSetup& setup, const Objective& objective, const HostBatch& host) {
  const Batch batch = upload(setup.model.parameters->backend(), host, 0, host.sequences);
  const Model& model = *setup.model.model;
  const NoGrad no_grad;
  return total_loss(model, objective, model.forward({.batch = batch}), batch).item() /
         static_cast<double>(objective.targets(host));
}

TEST(Task, TermsAreOfTheTrainingLossAndNotOfEvaluation) {
  const auto losses = [](const config::Overrides& overrides) {
    const JobConfig job = job_of({.name = "task", .overrides = overrides});
    const auto backend = make_backend(DeviceChoice::cpu, job.parallel.reduction);
    const Layout layout = make_layout(job, Group(), *backend);
    TrainingSetup setup(job, planned_model(job), *backend, layout);
    set_initial_weights(job, setup.model);
    const HostBatch batch = batch_of(0, {0, kBatch});
    const double evaluated = loss_of(setup, *setup.plain_loss, batch);
    const double trained = loss_of(setup, *setup.objective, batch);
    EXPECT_NEAR(setup.step.run(batch, 0).loss, trained, 1e-12);
    return std::pair(trained, evaluated);
  };
  const std::string exact = "precision={compute: fp64, weights: fp64}";
  const auto [plain, same] = losses({exact});
  EXPECT_EQ(plain, same);
  const auto [with_z, plain_with_z] = losses({exact, "task.z_loss=0.1"});
  EXPECT_EQ(plain_with_z, plain);
  // lse of a model that knows nothing is about log V.
  EXPECT_NEAR(with_z - plain, 0.1 * std::pow(std::log(kVocab), 2), 0.05);
  const auto [smoothed, plain_smoothed] = losses({exact, "task.label_smoothing=0.5"});
  EXPECT_EQ(plain_smoothed, plain);
  EXPECT_NE(smoothed, plain);
}

}  // namespace
}  // namespace ty::test
