#include "launch/bench/bench.h"

#include "launch/job/limits.h"
#include "launch/verbs/verbs.h"

namespace ty {

const Verb& bench_verb() {
  using config::at_least;
  using config::between;
  const std::vector<std::string> step = {"step"}, linear = {"linear"}, gemm = {"gemm"},
                                 both = {"step", "linear", "profile", "generate"};
  const std::vector<std::string> tokens = {"linear", "generate"};
  static const Verb verb = {
      "bench",
      "step CONFIG [key=value ...] | profile CONFIG | gemm | linear | generate CONFIG|MODEL",
      "Medians with spread, peak bytes, and the machine's own ceilings beside them",
      {{"--steps", "N", "measured steps or rounds; default 5", kInteger, at_least(1), both},
       {"--warmup", "N", "steps before them; default 2", kInteger, at_least(0), both},
       {"--against",
        "KEY=VALUE",
        "step: the same job with this override, in turns; prints how they compare",
        kText,
        {},
        step},
       {"--rows", "N", "gemm: tokens of the model's products; default 256", kInteger,
        between(1, kLongestSequence), gemm},
       {"--dtype", "NAME", "gemm: fp32 (the default), bf16 or fp16", kText,
        config::one_of({"fp32", "bf16", "fp16"}), gemm},
       {"--device", "NAME", "gemm: auto (the default) or cpu", kText,
        config::one_of({"auto", "cpu"}), gemm},
       {"--preset", "NAME", "linear: seed (768 -> 2304) or wide (1024 -> 4096, the default)", kText,
        config::one_of({"seed", "wide"}), linear},
       {"--in", "N|LIST", "linear: input features, or modes as 8,8,16", kIntegers,
        between(1, kMostFeatures), linear},
       {"--out", "N|LIST", "linear: output features, or modes as 8,32,16", kIntegers,
        between(1, kMostFeatures), linear},
       {"--rank", "N", "linear: rank of every TTM bond; default 72", kInteger,
        between(1, kMostFeatures), linear},
       {"--svd-rank", "N", "linear: rank of svd; default: as many weights as TTM", kInteger,
        between(1, kMostFeatures), linear},
       {"--tokens", "N", "linear: rows of the input; default 1024. generate: new ones; default 128",
        kInteger, between(1, kLongestSequence), tokens},
       {"--microbatches", "N", "linear: passes per optimizer step; default 1", kInteger,
        between(1, kMostMicrobatches), linear},
       {"--plans", "", "linear: every execution plan, not only the chosen one", kText, {}, linear},
       {"--explain",
        "",
        "linear: what the planner considered, and at what cost",
        kText,
        {},
        linear},
       {"--json", "", "one JSON object on stdout"}},
      {{.name = "step",
        .most_words = 1,
        .run = bench::step,
        .takes_overrides = true,
        .shares_work = true},
       {.name = "profile",
        .most_words = 1,
        .run = bench::profile,
        .takes_overrides = true,
        .shares_work = true},
       {.name = "generate", .most_words = 1, .run = bench::generate, .takes_overrides = true},
       {.name = "gemm", .most_words = 0, .run = bench::gemm},
       {.name = "linear", .most_words = 0, .run = bench::linear}}};
  return verb;
}

}  // namespace ty
