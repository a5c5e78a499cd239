#include "launch/job/parallel_section.h"

#include "launch/job/limits.h"

namespace ty {

using config::between;
using config::Checks;
using config::Fields;
using config::positive;

void fields(Fields& f, ParallelSection& s) {
  f.field("data", s.data, "ranks that share a batch; auto: those that are left",
          between(1, kMostRanks));
  f.field("tensor", s.tensor, "ranks that share each layer", between(1, kMostRanks));
  f.field("sequence", s.sequence,
          "whether tensor ranks keep only their own tokens between the layers that they share");
  f.field("pipeline", s.pipeline, "ranks that share the chain of layers", between(1, kMostRanks));
  f.field("microbatches", s.microbatches, "parts of a rank's batch that run one by one",
          between(1, kMostMicrobatches));
  f.field("recompute", s.recompute,
          "what backward computes again instead of keeping it; selective: all that is cheap",
          {{"none", Recompute::none},
           {"selective", Recompute::selective},
           {"block", Recompute::block}});
  f.field(
      "reuse", s.reuse,
      "how long W of ttm layers is kept once made: within a pass, or over a step's micro-batches",
      {{"pass", WeightReuse::pass}, {"step", WeightReuse::step}});
  f.field("zero", s.zero, "1: each data rank keeps its share of the optimizer state only",
          between(0, 1));
  f.field("reduction", s.reduction,
          "canonical: the same bits for any number of data ranks and threads, up to a tenth slower",
          {{"fast", Reduction::fast}, {"canonical", Reduction::canonical}});
  f.field("bucket_mb", s.bucket_mb, "MiB of gradients that are reduced together",
          positive().at_most(kMostBucketMb));
  f.field("check_replicas", s.check_replicas,
          "every so many steps, ranks that hold the same weights compare them; 0: never",
          between(0, kMostSteps));
}

void check(const ParallelSection& s, Checks& checks) {
  if (s.pipeline.value_or(1) != 1) {
    checks.fail("pipeline", "got {}; this version has no pipelines, want 1", *s.pipeline.value);
  }
  if (s.reuse == WeightReuse::step && s.reduction == Reduction::canonical) {
    checks.fail("reuse", "step adds up over micro-batches; reduction = canonical wants pass");
  }
}

}  // namespace ty
