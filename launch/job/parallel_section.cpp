#include "launch/job/parallel_section.h"

#include "launch/job/limits.h"

namespace ty {

using config::at_least;
using config::between;
using config::Checks;
using config::Fields;
using config::one_of;
using config::positive;

void fields(Fields& f, ParallelSection& s) {
  f.field("data", s.data, "ranks that share a batch; auto: those that are left",
          between(1, kMostRanks));
  f.field("tensor", s.tensor, "ranks that share each layer", between(1, kMostRanks));
  f.field("sequence", s.sequence,
          "whether tensor ranks keep only their own tokens between the layers that they share");
  f.field("pipeline", s.pipeline, "ranks that share the chain of layers", between(1, kMostRanks));
  f.field("schedule", s.schedule,
          "in which order stages run micro-batches; or a file with the actions of each stage",
          one_of({"gpipe", "1f1b", "interleaved", "varuna"}));
  f.field("chunks", s.chunks, "parts of the chain that each stage has; more than 1: interleaved",
          between(1, kMostChunks));
  f.field("stages", s.stages, "layers of each stage (x chunks); []: of about equal cost",
          at_least(0));
  f.field("profile", s.profile,
          "times of `bench profile --json`, by which blocks are dealt out to stages; null: by "
          "predicted cost");
  f.field("work_conserving", s.work_conserving,
          "whether a stage whose next message is late runs another action that can run");
  f.field("microbatches", s.microbatches, "parts of a rank's batch that run one by one",
          between(1, kMostMicrobatches));
  f.field(
      "recompute", s.recompute,
      "what backward computes again instead of keeping it; selective: all that is cheap; stage: "
      "all that a pipeline's stage does",
      {{"none", Recompute::none},
       {"selective", Recompute::selective},
       {"block", Recompute::block},
       {"stage", Recompute::stage}});
  f.field(
      "reuse", s.reuse,
      "how long W of ttm layers is kept once made: within a pass, or over a step's micro-batches",
      {{"pass", WeightReuse::pass}, {"step", WeightReuse::step}});
  f.field("zero", s.zero, "1: each data rank keeps its share of the optimizer state only",
          between(0, 1));
  f.field("reduction", s.reduction,
          "canonical: the same bits for any layout and number of threads, a tenth slower or more",
          {{"fast", Reduction::fast}, {"canonical", Reduction::canonical}});
  f.field("bucket_mb", s.bucket_mb, "MiB of gradients that are reduced together",
          positive().at_most(kMostBucketMb));
  f.field("transport", s.transport,
          "what carries a device's tensors; auto: nccl where each rank has a card of its own",
          {{"auto", Transport::automatic}, {"mpi", Transport::mpi}, {"nccl", Transport::nccl}});
  f.field("check_replicas", s.check_replicas,
          "every so many steps, ranks that hold the same weights compare them; 0: never",
          between(0, kMostSteps));
}

void check(const ParallelSection& s, Checks& checks) {
  if (!s.profile.empty() && !s.stages.empty()) {
    checks.fail("profile",
                "parallel.stages says already which blocks a stage has; want one of them");
  }
  const std::string schedule = s.schedule.string();
  if (schedule.empty()) checks.fail("schedule", "got null; want 1f1b for the default");
  if (s.chunks > 1 && schedule_named(schedule) && schedule != "interleaved") {
    checks.fail("chunks", "{} of a stage want schedule: interleaved, got {}", s.chunks, schedule);
  }
  if (s.chunks > 1 && s.reduction == Reduction::canonical) {
    checks.fail("chunks", "got {}; reduction = canonical wants 1", s.chunks);
  }
  if (s.reuse == WeightReuse::step && s.reduction == Reduction::canonical) {
    checks.fail("reuse", "step adds up over micro-batches; reduction = canonical wants pass");
  }
}

}  // namespace ty
