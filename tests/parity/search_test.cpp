// The search for a layout: what it ranks can run, fits where it says so, and loses for a reason.
// And what a job becomes on other ranks.
#include "launch/run/search.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "launch/run/job_check.h"
#include "launch/run/model_setup.h"
#include "launch/run/regroup.h"

namespace ty::test {
namespace {

config::Overrides overrides() {
  return {"model={layers: 4, width: 48, heads: 6, context: 32, vocab: 97}",
          "data={sequence: 32, batch: 8}"};
}

SearchOptions options() { return {.rates = {.flops_per_second = 1e10, .bytes_per_second = 1e10}}; }

SearchResult search(const SearchOptions& with, int ranks) {
  const JobConfig job = load_job("", overrides());
  return search_layouts(job, planned_model(job), ranks, with);
}

TEST(Search, RanksLayoutsThatCanRun) {
  const SearchResult result = search(options(), 4);
  ASSERT_GT(result.ranked.size(), 50u);
  EXPECT_EQ(result.ranked.front().why, "");
  for (const Candidate& c : result.ranked) {
    config::Overrides more = overrides();
    for (const std::string& each : c.overrides()) more.push_back(each);
    const JobConfig job = load_job("", more);
    EXPECT_EQ(stated_mesh(job).size(), 4) << c.text();
    EXPECT_NO_THROW(check_model(job, planned_model(job), stated_mesh(job))) << c.text();
    EXPECT_TRUE(c.fits);
    if (&c != &result.ranked.front()) {
      EXPECT_NE(c.why, "") << c.text();
    }
  }
  // Four tensor ranks cannot share six heads.
  ASSERT_EQ(result.refusals.size(), 1u);
  EXPECT_NE(result.refusals[0].find("4 tensor ranks: "), std::string::npos);
  EXPECT_NE(result.refusals[0].find("model.heads"), std::string::npos) << result.refusals[0];
}

TEST(Search, PrefersWhatFitsIntoMemory) {
  const std::int64_t unbounded = search(options(), 4).ranked.front().peak_bytes;
  SearchOptions tight = options();
  tight.memory_bytes = unbounded * 2 / 3;
  const SearchResult result = search(tight, 4);
  EXPECT_TRUE(result.ranked.front().fits);
  EXPECT_LE(result.ranked.front().peak_bytes, tight.memory_bytes);
  EXPECT_FALSE(result.ranked.back().fits);
  EXPECT_EQ(result.ranked.back().why, "does not fit into memory");
}

TEST(Search, TriesRanksOfFactorisedLayers) {
  config::Overrides more = overrides();
  more.emplace_back("linear=[{match: \"*.mlp.*\", kind: svd, rank: 16}]");
  const JobConfig job = load_job("", more);
  SearchOptions with = options();
  with.linear_ranks = {4, 16};
  const SearchResult result = search_layouts(job, planned_model(job), 2, with);
  EXPECT_EQ(result.ranked.front().linear_rank, 4);
  const auto of_sixteen = std::count_if(result.ranked.begin(), result.ranked.end(),
                                        [](const Candidate& c) { return c.linear_rank == 16; });
  EXPECT_EQ(static_cast<std::size_t>(of_sixteen) * 2, result.ranked.size());
}

// What a schedule keeps alive counts, of every layout and not of the quickest alone.
TEST(Search, PlansTheMemoryOfEverySchedule) {
  const SearchResult result = search(options(), 2);
  for (const Candidate& c : result.ranked) {
    config::Overrides more = overrides();
    for (const std::string& each : c.overrides()) more.push_back(each);
    const JobConfig job = load_job("", more);
    EXPECT_EQ(c.peak_bytes, make_pipeline_plan(job, planned_model(job), 2).peak_bytes())
        << c.text();
  }
}

// Canonical sums want 1, 2 or 4 tensor ranks, and a power of two of data ranks.
TEST(Search, LeavesOutWhatABatchOrAReductionForbids) {
  config::Overrides more = overrides();
  more.emplace_back("parallel.reduction=canonical");
  more.emplace_back("data.batch=12");
  const JobConfig job = load_job("", more);
  for (const int ranks : {4, 6}) {
    const SearchResult result = search_layouts(job, planned_model(job), ranks, options());
    const auto has_tensor_ranks = [](const Candidate& c) { return c.mesh.tensor == 2; };
    EXPECT_TRUE(std::any_of(result.ranked.begin(), result.ranked.end(), has_tensor_ranks));
    for (const Candidate& c : result.ranked) {
      EXPECT_NE(c.mesh.tensor, 3) << c.text();
      EXPECT_NE(c.mesh.data, 3) << c.text();
      EXPECT_EQ(c.chunks, 1) << c.text();
    }
  }
}

// Where links are slow, what sends less wins, and losers say that they send.
TEST(Search, MindsTheLinks) {
  SearchOptions slow = options();
  slow.rates.link_bytes_per_second = 1e6;
  const SearchResult result = search(slow, 2);
  int senders = 0;
  for (const Candidate& c : result.ranked) {
    if (c.why.starts_with("sends for")) ++senders;
  }
  EXPECT_GT(result.ranked.front().mesh.pipeline, 1);
  EXPECT_GT(senders, 10);
}

// What a job runs with on so many ranks, as "data x tensor x pipeline, micro-batches, schedule".
std::string regrouped_to(const config::Overrides& stated, int ranks) {
  config::Overrides overrides_of_job = overrides();
  overrides_of_job.insert(overrides_of_job.end(), stated.begin(), stated.end());
  const auto more = regrouped(load_job("", overrides_of_job), ranks);
  if (!more) return "none";
  overrides_of_job.insert(overrides_of_job.end(), more->begin(), more->end());
  const JobConfig job = load_job("", overrides_of_job);
  const MeshShape mesh = stated_mesh(job);
  EXPECT_EQ(mesh.size(), ranks);
  return fmt::format("{}x{}x{}, {}, {}", mesh.data, mesh.tensor, mesh.pipeline,
                     job.parallel.microbatches, job.parallel.schedule.string());
}

TEST(Regrouped, KeepsWhatItCanOfALayout) {
  const config::Overrides stated = {
      "parallel={data: auto, tensor: 2, pipeline: 2, microbatches: 4}"};
  EXPECT_EQ(regrouped_to(stated, 8), "2x2x2, 4, 1f1b");
  EXPECT_EQ(regrouped_to(stated, 4), "1x2x2, 4, 1f1b");
  // Where its own degrees do not fit, what is quickest by prediction. 8 sequences over 6 ranks:
  // each has one at least, over 3 two.
  EXPECT_EQ(regrouped_to(stated, 6), "6x1x1, 1, 1f1b");
  EXPECT_EQ(regrouped_to(stated, 3), "3x1x1, 2, 1f1b");
  EXPECT_EQ(regrouped_to(stated, 1), "1x1x1, 4, 1f1b");
  EXPECT_EQ(regrouped_to(stated, 9), "none");  // more data ranks than sequences
}

TEST(Regrouped, LeavesOutWhatBelongsToOtherStages) {
  EXPECT_EQ(regrouped_to({"parallel={pipeline: 3, schedule: interleaved, chunks: 2, "
                          "microbatches: 6}"},
                         2),
            "1x1x2, 6, interleaved");
  EXPECT_EQ(regrouped_to({"parallel={pipeline: 3, schedule: varuna, microbatches: 6, "
                          "recompute: stage, stages: [2, 1, 1]}"},
                         2),
            "2x1x1, 4, varuna");
}

}  // namespace
}  // namespace ty::test
