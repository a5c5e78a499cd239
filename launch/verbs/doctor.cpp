#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "launch/doctor/judge.h"
#include "launch/verbs/verbs.h"

namespace ty {

namespace {

ExitCode run_doctor(const Arguments& arguments, RankStatus&) {
  const std::vector<Check> checks = judge(gather_machine_facts());
  if (arguments.flag("--json")) {
    fmt::print("{}\n", to_json(checks).dump());
  } else {
    fmt::print("{}", to_text(checks));
  }
  std::fflush(stdout);  // before the error line
  for (const Check& check : checks) {
    if (check.verdict != Verdict::fail) continue;
    throw Error(check.code, fmt::format("doctor: {}: {}; {}", check.name, check.value, check.fix));
  }
  return ExitCode::ok;
}

}  // namespace

const Verb& doctor_verb() {
  static const Verb verb = {"doctor",
                            "[--json]",
                            "What is wrong with this machine's set-up, and how to mend it; exit "
                            "code 0 unless no job can run",
                            {{"--json", "", "one JSON object on stdout"}},
                            {{.name = "", .most_words = 0, .run = run_doctor}}};
  return verb;
}

}  // namespace ty
