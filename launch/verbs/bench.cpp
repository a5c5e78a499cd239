#include "launch/bench/bench.h"

#include "core/base/error.h"
#include "launch/verbs/verbs.h"

namespace ty {

namespace {

ExitCode run_bench(const Arguments& arguments, RankStatus& status) {
  const std::string& what = arguments.word(0, "what to measure (step, gemm or linear)");
  if (what == "step") return bench::step(arguments, status);
  if (what == "gemm") return bench::gemm(arguments, status);
  if (what == "linear") return bench::linear(arguments, status);
  throw UsageError("bench: unknown \"{}\"; one of: step gemm linear", what);
}

}  // namespace

const Verb& bench_verb() {
  static const Verb verb = {
      "bench",
      "step CONFIG [key=value ...] | gemm | linear",
      "Medians with spread, peak bytes, and the machine's own ceilings beside them",
      {{"--steps", "N", "measured steps or rounds; default 5"},
       {"--warmup", "N", "steps before them; default 2"},
       {"--against", "KEY=VALUE",
        "step: the same job with this override, in turns; prints how they compare"},
       {"--preset", "NAME", "linear: seed (768 -> 2304) or wide (1024 -> 4096, the default)"},
       {"--in", "N|LIST", "linear: input features, or modes as 8,8,16"},
       {"--out", "N|LIST", "linear: output features, or modes as 8,32,16"},
       {"--rank", "N", "linear: rank of every TTM bond; default 72"},
       {"--svd-rank", "N", "linear: rank of svd; default: as many weights as TTM"},
       {"--tokens", "N", "linear: rows of the input; default 1024"},
       {"--microbatches", "N", "linear: passes per optimizer step; default 1"},
       {"--plans", "", "linear: every execution plan, not only the chosen one"},
       {"--explain", "", "linear: what the planner considered, and at what cost"},
       {"--json", "", "one JSON object on stdout"}},
      true,
      run_bench};
  return verb;
}

}  // namespace ty
