#include "launch/run/search.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/base/error.h"
#include "launch/run/job_check.h"
#include "launch/run/linear_ranks.h"

namespace ty {

namespace {

constexpr std::array kRecompute = {Recompute::none, Recompute::selective, Recompute::block,
                                   Recompute::stage};
constexpr double kAlike = 0.01;  // times that differ by less are the same

std::string_view name_of(Recompute recompute) {
  constexpr std::array<std::string_view, 4> kNames = {"none", "selective", "block", "stage"};
  return kNames[static_cast<std::size_t>(recompute)];
}

JobConfig job_for(const JobConfig& job, const Candidate& c) {
  JobConfig with = job;
  with.parallel.data = c.mesh.data;
  with.parallel.tensor = c.mesh.tensor;
  with.parallel.pipeline = c.mesh.pipeline;
  with.parallel.sequence = job.parallel.sequence && c.mesh.tensor > 1;
  with.parallel.schedule = std::string(ty::name_of(c.schedule));
  with.parallel.chunks = c.chunks;
  with.parallel.stages.clear();
  with.parallel.microbatches = c.micro_batches;
  with.parallel.recompute = c.recompute;
  return with;
}

void set_times(Candidate& c, const PipelinePlan& plan, const MachineRates& rates) {
  const Timeline timeline = plan.timeline(rates);
  c.step_seconds = timeline.seconds() + plan.seconds_after(rates);
  c.bubble = timeline.bubble();
  c.peak_bytes = plan.peak_bytes();
  const auto parts = static_cast<double>(plan.program.shape.micro_batches);
  for (const Plan& stage : plan.stages) {
    StepWork sum = stage.after_actions;
    for (const ChunkWork& chunk : stage.chunks) {
      for (const StepWork* work : {&chunk.forward, &chunk.recompute, &chunk.backward}) {
        sum.add(*work, parts);
      }
    }
    const double all = rates.seconds(sum);
    const double sent = rates.seconds({0, 0, sum.calls, sum.sent_bytes});
    if (all > c.work_seconds + c.sent_seconds) {
      c.work_seconds = all - sent;
      c.sent_seconds = sent;
    }
  }
}

// What costs a loser most of what it lost, beside the winner.
std::string why_slower(const Candidate& c, const Candidate& best) {
  const double work = c.work_seconds - best.work_seconds;
  const double sent = c.sent_seconds - best.sent_seconds;
  const double idle = (c.step_seconds - c.work_seconds - c.sent_seconds) -
                      (best.step_seconds - best.work_seconds - best.sent_seconds);
  if (work >= sent && work >= idle) {
    return fmt::format("computes {:.3g} s on its busiest stage, not {:.3g} s", c.work_seconds,
                       best.work_seconds);
  }
  if (sent >= idle) {
    return fmt::format("sends for {:.3g} s, not {:.3g} s", c.sent_seconds, best.sent_seconds);
  }
  return fmt::format("bubble {:.0f} %, not {:.0f} %", 100.0 * c.bubble, 100.0 * best.bubble);
}

class Search {
 public:
  Search(const JobConfig& job, const ModelSpec& config, const SearchOptions& options)
      : job_(job), config_(config), options_(options) {}

  SearchResult run(int ranks) {
    std::vector<std::int64_t> linear_ranks = options_.linear_ranks;
    if (linear_ranks.empty()) linear_ranks = {0};
    for (const std::int64_t rank : linear_ranks) {
      linear_rank_ = rank;
      if (rank > 0) config_.linear = with_rank(config_.linear, rank);
      add_layouts(ranks);
    }
    rank_all();
    return std::move(result_);
  }

 private:
  void add_layouts(int ranks) {
    for (int tensor = 1; tensor <= ranks; ++tensor) {
      for (int pipeline = 1; ranks % tensor == 0 && pipeline <= ranks / tensor; ++pipeline) {
        if (ranks / tensor % pipeline != 0) continue;
        add_layout({pipeline, ranks / tensor / pipeline, tensor});
      }
    }
  }

  void add_layout(const MeshShape& mesh) {
    Candidate c;
    c.mesh = mesh;
    c.linear_rank = linear_rank_;
    if (mesh.data > job_.data.batch) {
      return refuse(c, fmt::format("data.batch = {} has too few sequences", job_.data.batch));
    }
    try {
      check_model(job_for(job_, c), config_, mesh);
    } catch (const ConfigError& e) {
      return refuse(c, e.what());
    }
    // Canonical sums make every sequence a micro-batch.
    const std::int64_t sequences = is_canonical() ? 1 : job_.data.batch / mesh.data;
    for (std::int64_t parts = 1; parts <= sequences; parts *= 2) {
      c.micro_batches = parts;
      for (const Recompute recompute : kRecompute) {
        if (recompute == Recompute::stage && mesh.pipeline == 1) continue;
        c.recompute = recompute;
        add_schedules(c);
      }
    }
  }

  bool is_canonical() const { return job_.parallel.reduction == Reduction::canonical; }

  void refuse(const Candidate& c, const std::string& why) {
    result_.refusals.push_back(fmt::format("{}: {}", describe(c.mesh), why));
  }

  void add_schedules(Candidate c) {
    using enum PipelineSchedule;
    add(c);
    if (c.mesh.pipeline == 1) return;
    for (const PipelineSchedule schedule : {gpipe, varuna}) {
      c.schedule = schedule;
      add(c);
    }
    c.schedule = interleaved;
    c.chunks = 2;
    const bool has_groups = c.micro_batches % c.mesh.pipeline == 0 && !is_canonical();
    if (has_groups && c.chunks * c.mesh.pipeline <= config_.layers + 2) add(c);
  }

  void add(Candidate c) {
    const JobConfig job = job_for(job_, c);
    set_times(c, make_pipeline_plan(job, config_, c.mesh.size()), options_.rates);
    result_.ranked.push_back(std::move(c));
  }

  void rank_all() {
    std::vector<Candidate>& all = result_.ranked;
    const auto by_time = [](const Candidate& a, const Candidate& b) {
      const bool alike = std::abs(a.step_seconds - b.step_seconds) <= kAlike * a.step_seconds;
      return alike ? a.peak_bytes < b.peak_bytes : a.step_seconds < b.step_seconds;
    };
    std::sort(all.begin(), all.end(), [](const Candidate& a, const Candidate& b) {
      return a.step_seconds < b.step_seconds;
    });
    for (Candidate& c : all) c.fits = c.peak_bytes <= options_.memory_bytes;
    const auto end =
        std::stable_partition(all.begin(), all.end(), [](const Candidate& c) { return c.fits; });
    // Not transitive where times are alike, so the first one is found by itself.
    const auto first = std::min_element(all.begin(), end, by_time);
    if (first != end) std::rotate(all.begin(), first, first + 1);
    std::sort(end, all.end(),
              [](const Candidate& a, const Candidate& b) { return a.peak_bytes < b.peak_bytes; });
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (!all[i].fits) {
        all[i].why = "does not fit into memory";
      } else if (i > 0 && all[i].step_seconds <= all[0].step_seconds * (1 + kAlike)) {
        all[i].why = "as quick, but takes more memory";
      } else if (i > 0) {
        all[i].why = why_slower(all[i], all[0]);
      }
    }
  }

  const JobConfig& job_;
  ModelSpec config_;  // of linear_rank_
  std::int64_t linear_rank_ = 0;
  const SearchOptions& options_;
  SearchResult result_;
};

}  // namespace

std::string Candidate::text() const {
  std::string text = describe(mesh);
  if (mesh.pipeline > 1) text += fmt::format(", {}", ty::name_of(schedule));
  if (chunks > 1) text += fmt::format(" x {} chunks", chunks);
  if (linear_rank > 0) text += fmt::format(", rank {} of linear layers", linear_rank);
  return text + fmt::format(", {} micro-batch{}, recompute {}", micro_batches,
                            micro_batches == 1 ? "" : "es", name_of(recompute));
}

std::vector<std::string> Candidate::overrides() const {
  return {fmt::format("parallel.data={}", mesh.data),
          fmt::format("parallel.tensor={}", mesh.tensor),
          fmt::format("parallel.pipeline={}", mesh.pipeline),
          fmt::format("parallel.schedule={}", ty::name_of(schedule)),
          fmt::format("parallel.chunks={}", chunks),
          fmt::format("parallel.microbatches={}", micro_batches),
          fmt::format("parallel.recompute={}", name_of(recompute))};
}

SearchResult search_layouts(const JobConfig& job, const ModelSpec& config, int ranks,
                            const SearchOptions& options) {
  return Search(job, config, options).run(ranks);
}

}  // namespace ty
