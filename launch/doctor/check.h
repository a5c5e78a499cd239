// One finding of the doctor: the state of something, and how to fix it.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>

#include "core/base/error.h"

namespace ty {

enum class Verdict : std::uint8_t {
  ok,
  warn,  // runs, but slower, or not with several ranks
  fail,  // no job can run
};
std::string_view name_of(Verdict verdict);

struct Check {
  std::string name;
  Verdict verdict = Verdict::ok;
  std::string value;
  std::string fix;               // a command where possible; empty if all is well
  ExitCode code = ExitCode::ok;  // with which a job would end; only for fail
};

// All is well, or: jobs run, but `fix` helps.
Check ok(std::string name, std::string value);
Check warn(std::string name, std::string value, std::string fix);

// One line per check, the fix of a problem below it, and the totals.
std::string to_text(std::span<const Check> checks);
// {"checks": [{"name", "verdict", "value", "fix"}, ...], "warnings": 1, "failures": 0}
nlohmann::json to_json(std::span<const Check> checks);

}  // namespace ty
