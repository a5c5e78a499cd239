// What a plan predicts is what the step takes: bytes of every class at the peak and bytes sent, for
// every kind of layer, precision, recomputation, micro-batches and sharded optimizer.
#include "launch/run/plan.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "launch/report/linear_table.h"
#include "launch/run/training_setup.h"
#include "models/huggingface/model_directory.h"
#include "models/objective/chunked_loss.h"
#include "models/transformer/model_batch.h"
#include "parallel/comm/threads/threads.h"

namespace ty::test {
namespace {

struct Row {
  std::string name;
  config::Overrides overrides;
  int ranks = 1;
};

std::vector<Row> rows() {
  const std::string mixed =
      "linear=[{match: \"*.attn.*\", kind: svd, rank: 8}, {match: \"*.mlp.*\", kind: ttm, rank: "
      "6}]";
  const std::string lax = "linear=[{match: \"blocks.*\", kind: lax, rank: 8}]";
  const std::string svd_table = "linear=[{match: embeddings.token, kind: svd, rank: 8}]";
  const std::string ttm_table =
      "linear=[{match: embeddings.token, kind: ttm, in: [9, 11], out: [8, 6], rank: 5}]";
  return {
      {"dense", {}},
      {"sgd", {"optim.name=sgd", "optim.momentum=0.9"}},
      {"clipped_micro_batches", {"optim.clip=1", "parallel.microbatches=3"}},
      {"recomputed", {"parallel.recompute=block"}},
      {"bf16", {"precision.compute=bf16"}},
      {"fp16", {"precision.compute=fp16"}},
      {"bf16_weights", {"precision.compute=bf16", "precision.weights=bf16"}},
      {"fp64", {"precision.compute=fp64", "precision.weights=fp64"}},
      {"factorised", {mixed}},
      {"factorised_bf16", {mixed, "precision.compute=bf16"}},
      {"factorised_recomputed", {mixed, "parallel.recompute=block"}},
      {"w_once_per_step", {mixed, "parallel.reuse=step", "parallel.microbatches=4"}},
      {"capped_and_decayed", {mixed, "optim.factor_norm_cap=1", "optim.product_decay=0.1"}},
      {"capped_and_decayed_tensor",
       {mixed, "optim.factor_norm_cap=1", "optim.product_decay=0.1", "parallel.tensor=3"},
       3},
      {"bounded", {mixed, "optim.factor_steps=bounded", "parallel.microbatches=2"}, 2},
      {"bounded_sgd", {mixed, "optim.factor_steps=bounded", "optim.name=sgd"}},
      {"lax", {lax, "parallel.microbatches=2"}},
      {"lax_recomputed", {lax, "parallel.recompute=block"}},
      {"lax_tensor_rows", {lax, "parallel.tensor=3", "parallel.sequence=true"}, 3},
      {"lax_pipeline", {lax, "parallel.pipeline=2", "parallel.microbatches=4"}, 2},
      {"frozen", {"optim.freeze=[\"embeddings.*\", \"blocks.0.*\"]", "model.tied=false"}},
      {"frozen_here_and_there",
       {"optim.freeze=[\"*.mlp.up.*\", \"*norm*\"]", mixed, "precision.compute=bf16",
        "parallel.recompute=block"}},
      {"frozen_but_the_head",
       {"optim.freeze=[\"embeddings.*\", \"blocks.*\"]", "model.tied=false", "parallel.zero=1"},
       2},
      {"frozen_table", {"optim.freeze=[\"embeddings.*\"]", "parallel.tensor=3"}, 3},
      {"frozen_stage",
       {"parallel.pipeline=2", "parallel.microbatches=4", "parallel.recompute=stage",
        "optim.freeze=[\"embeddings.*\", \"blocks.0.*\"]", "parallel.stages=[1, 1]",
        "model.tied=false"},
       2},
      {"untied", {"model.tied=false"}},
      {"pruned",
       {"linear=[{match: \"blocks.*\", kind: pruned, keep: 30%, end: 9}]",
        "parallel.microbatches=2"}},
      {"pruned_and_frozen",
       {"linear=[{match: \"blocks.*\", kind: pruned, keep: 30%}]", "optim.freeze=[\"blocks.*\"]"}},
      {"svd_table", {svd_table, "parallel.microbatches=2"}},
      {"svd_table_untied", {svd_table, "model.tied=false"}},
      {"svd_table_tensor", {svd_table, "parallel.tensor=3"}, 3},
      {"row_trains_table",
       {"linear=[{match: embeddings.token, kind: row_trains, rank: 2}]", "parallel.tensor=3"},
       3},
      {"ttm_table", {ttm_table}},
      {"ttm_table_bf16", {ttm_table, "precision.compute=bf16", "model.tied=false"}},
      {"ttm_table_once_per_step", {ttm_table, "parallel.reuse=step", "parallel.microbatches=3"}},
      {"ttm_table_tensor", {ttm_table, "parallel.tensor=3", "model.vocab=99"}, 3},
      {"ttm_table_pipeline", {ttm_table, "parallel.pipeline=2", "parallel.microbatches=4"}, 2},
      {"two_ranks", {}, 2},
      {"two_ranks_sharded", {"parallel.zero=1", "parallel.microbatches=2"}, 2},
      {"three_ranks_sharded", {"parallel.zero=1", "precision.compute=bf16"}, 3},
      {"canonical", {"parallel.reduction=canonical", mixed}, 2},
      {"canonical_tensor",
       {"parallel.reduction=canonical", "parallel.tensor=4", "model.heads=4", mixed},
       4},
      {"canonical_block_bf16",
       {"parallel.reduction=canonical", "parallel.tensor=2", "model.heads=4",
        "parallel.recompute=block", "precision.compute=bf16"},
       4},
      {"canonical_pipeline",
       {"parallel.reduction=canonical", "parallel.tensor=2", "model.heads=4", "parallel.pipeline=2",
        "parallel.zero=1"},
       4},
      {"tensor", {"parallel.tensor=3"}, 3},
      {"tensor_rows", {"parallel.tensor=3", "parallel.sequence=true"}, 3},
      {"tensor_factorised", {"parallel.tensor=3", mixed, "parallel.microbatches=2"}, 3},
      {"tensor_factorised_rows",
       {"parallel.tensor=3", "parallel.sequence=true", mixed, "precision.compute=bf16"},
       3},
      {"tensor_hidden",
       {"parallel.tensor=3", "parallel.microbatches=2",
        "linear=[{match: \"*\", kind: svd, rank: 8, layout: hidden}]"},
       3},
      {"tensor_hidden_bf16",
       {"parallel.tensor=3", "parallel.recompute=selective", "precision.compute=bf16",
        "linear=[{match: \"blocks.*\", kind: svd, rank: 8, layout: hidden}]"},
       3},
      {"tensor_block", {"parallel.tensor=3", "parallel.recompute=block"}, 3},
      {"tensor_selective",
       {"parallel.tensor=3", "parallel.recompute=selective", mixed, "parallel.sequence=true"},
       3},
      {"data_tensor_sharded",
       {"parallel.tensor=3", "parallel.zero=1", "model.tied=false", "model.vocab=99"},
       6},
      {"pipeline", {"parallel.pipeline=2", "parallel.microbatches=4"}, 2},
      {"pipeline_of_four",
       {"parallel.pipeline=4", "parallel.microbatches=6", "model.tied=false"},
       4},
      {"pipeline_gpipe_stage",
       {"parallel.pipeline=3", "parallel.microbatches=4", "parallel.schedule=gpipe",
        "parallel.recompute=stage"},
       3},
      {"pipeline_varuna",
       {"parallel.pipeline=3", "parallel.microbatches=6", "parallel.schedule=varuna",
        "parallel.recompute=stage", mixed},
       3},
      {"pipeline_interleaved",
       {"parallel.pipeline=2", "parallel.chunks=2", "parallel.microbatches=4",
        "parallel.schedule=interleaved", "precision.compute=bf16"},
       2},
      {"pipeline_conserving",
       {"parallel.pipeline=2", "parallel.tensor=3", "parallel.microbatches=4",
        "parallel.work_conserving=true", "parallel.sequence=true"},
       6},
      {"pipeline_data_tensor_sharded",
       {"parallel.pipeline=2", "parallel.tensor=3", "parallel.microbatches=2", "parallel.zero=1",
        "parallel.recompute=block"},
       12}};
}

// What a stage has sent stays in its memory until the other one takes it, which no plan knows.
constexpr double kPipelineTolerance = 0.05;

class Planned : public testing::TestWithParam<Row> {};

TEST_P(Planned, MemoryOfEveryClassAndBytesSentAreWhatTheStepTakes) {
  config::Overrides overrides = {"model={layers: 2, width: 48, heads: 3, context: 40, vocab: 97}",
                                 "data={sequence: 33, batch: 12}", "model.dropout=0.1"};
  for (const std::string& more : GetParam().overrides) overrides.push_back(more);
  const JobConfig job = load_job("", overrides);
  const ModelSpec config = planned_model(job);
  run_ranks(GetParam().ranks, [&](const Group& world) {
    const auto backend = make_backend(DeviceChoice::cpu, job.parallel.reduction);
    const Layout layout = make_layout(job, world, *backend);
    TrainingSetup setup(job, config, *backend, layout);
    set_initial_weights(job, setup.model);
    const Range share = share_of_batch(job.data.batch, layout.mesh.data());
    std::vector<std::int32_t> ids, targets;
    for (std::int64_t i = 0; i < share.count * job.data.sequence; ++i) {
      ids.push_back(static_cast<std::int32_t>(i % 97));
      targets.push_back(static_cast<std::int32_t>(i * 7 % 97));
    }
    const HostBatch batch = token_batch(share.first, share.count, ids, targets);
    setup.step.run(batch, 0);
    const Traffic before = traffic_of(layout);
    setup.step.run(batch, 1);
    const Traffic sent = traffic_since(before, traffic_of(layout));
    const MeshCoordinate& at = layout.mesh.at();
    if (at.data > 0 || at.tensor > 0) return;
    const Plan plan = make_plan(job, config, GetParam().ranks, at.pipeline);
    EXPECT_EQ(plan.traffic, sent);
    EXPECT_EQ(bytes_of(plan.traffic) > 0, world.size() > 1);
    const MemoryStats measured = backend->memory().stats();
    const bool is_exact = layout.mesh.shape().pipeline == 1;
    const auto expect = [&](std::int64_t predicted, std::int64_t found, std::string_view what) {
      const double error = std::abs(static_cast<double>(predicted - found));
      EXPECT_LE(error, is_exact ? 0 : kPipelineTolerance * static_cast<double>(found))
          << what << " " << predicted << " " << found << " on stage " << at.pipeline;
    };
    for (std::size_t i = 0; i < kMemoryClasses; ++i) {
      expect(plan.memory.at_peak[i], measured.at_peak[i], name_of(static_cast<MemoryClass>(i)));
    }
    expect(plan.memory.total_peak, measured.total_peak, "peak");
    const Model whole(describe_model(config), LinearRules(config.linear));
    EXPECT_EQ(plan.parameters, whole.parameters().count());
  });
}

// Which layers draw their guide changes from step to step.
TEST(PlannedDraw, HoldsWhateverIsDrawn) {
  for (const char* of : {"{kind: svd, rank: 8}", "{kind: btt, keep: 80%}"}) {
    const JobConfig job = load_job(
        "",
        {"model={layers: 3, width: 48, heads: 3, context: 40, vocab: 97, dropout: 0.1}",
         "data={sequence: 33, batch: 12}", "task={kind: classification, labels: 3, consistency: 1}",
         fmt::format("linear=[{{match: \"blocks.*\", kind: guided, steps: 9, mix: draw, of: {}}}]",
                     of)});
    const ModelSpec config = planned_model(job);
    const auto backend = make_backend(DeviceChoice::cpu, job.parallel.reduction);
    const Layout layout = make_layout(job, Group(), *backend);
    TrainingSetup setup(job, config, *backend, layout);
    set_initial_weights(job, setup.model);
    const HostBatch batch = model_batch(config, 12, 33);
    for (std::int64_t step = 0; step < 10; ++step) setup.step.run(batch, step);
    const auto planned = static_cast<double>(make_plan(job, config, 1).memory.total_peak);
    EXPECT_NEAR(planned / static_cast<double>(backend->memory().stats().total_peak), 1.0, 0.02)
        << of;
  }
}

TEST(PlannedInference, CountsMasksThatStay) {
  const JobConfig job =
      load_job("", {"model={layers: 2, width: 48, heads: 3, context: 40, vocab: 97}",
                    "data.sequence=33", "linear=[{match: \"blocks.*\", kind: pruned, keep: 30%}]"});
  const ModelSpec config = planned_model(job);
  const auto backend = make_backend(DeviceChoice::cpu);
  const OpenedModel opened = declare_model(config, *backend, only_run(DType::f32), 1, 1, {});
  const auto objective = objective_of(config.head);
  const Batch batch = upload(*backend, model_batch(config, 4, 33), 0, 4);
  const NoGrad no_grad;
  for (int pass = 0; pass < 3; ++pass) {
    total_loss(*opened.model, *objective, opened.model->forward({.batch = batch}, Recompute::none),
               batch);
  }
  EXPECT_EQ(plan_inference(config, DType::f32, 4, 33, {1, 1, 1}).total_peak,
            backend->memory().stats().total_peak);
}

// Only a chunk of the logits is in memory, whoever holds which part of the vocabulary.
TEST(PlannedHead, AddsLittleToWhatItReads) {
  for (const int ranks : {1, 2}) {
    const auto bytes = [&](int vocab) {
      const JobConfig job = load_job(
          "", {fmt::format("model={{layers: 1, width: 768, heads: 12, context: 2048, vocab: {}}}",
                           vocab),
               "data={sequence: 2048, batch: 1}", fmt::format("parallel.tensor={}", ranks)});
      const MemoryStats memory = make_plan(job, planned_model(job), ranks).memory;
      return memory.total_peak - memory.of(MemoryClass::parameter) -
             memory.of(MemoryClass::gradient) - memory.of(MemoryClass::optimizer);
    };
    EXPECT_LE(bytes(50257) - bytes(64), std::int64_t{64} << 20) << ranks << " ranks";
  }
}

INSTANTIATE_TEST_SUITE_P(Every, Planned, testing::ValuesIn(rows()),
                         [](const auto& test) { return test.param.name; });

// What a plan says about layers that the job leaves open, in a line and as data.
TEST(Plan, SaysHowRanksHoldEachLayerAndWhy) {
  const JobConfig job = load_job(
      "", {"model={layers: 2, width: 96, heads: 6, context: 32}", "parallel.tensor=2",
           "parallel.sequence=true", "model.vocab=50", "data={sequence: 32, batch: 2}",
           "linear=[{match: \"*.mlp.*\", kind: ttm, rank: 4}, {match: \"*.attn.out\", kind: svd, "
           "rank: 4, layout: split}]"});
  const auto linear_of = [&](int ranks) {
    return make_plan(job, planned_model(job), ranks).linear;
  };
  const std::string table = format_linear_sites(linear_of(2), 32, false);
  for (const char* words :
       {"each rank's part\n", "split: whole, it takes more than 1/2 of a dense layer\n",
        "split: named\n", "whole: sends 1 B a token, not 385 B\n"}) {
    EXPECT_NE(table.find(words), std::string::npos) << words << " in\n" << table;
  }
  const nlohmann::json rows = linear_sites_json(linear_of(2), 32, false);
  for (const auto& row : rows) EXPECT_EQ(row.contains("layout"), row["path"] != "embeddings.token");
  EXPECT_EQ(rows[3]["path"], "blocks.0.mlp.up");
  EXPECT_EQ(rows[3]["layout"], "whole");
  EXPECT_EQ(std::string(rows[3]["layout_reason"]).rfind("sends ", 0), 0U);
}

}  // namespace
}  // namespace ty::test
