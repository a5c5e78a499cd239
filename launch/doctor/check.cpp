#include "launch/doctor/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace ty {

namespace {

std::ptrdiff_t count(std::span<const Check> checks, Verdict verdict) {
  return std::count_if(checks.begin(), checks.end(),
                       [&](const Check& check) { return check.verdict == verdict; });
}

}  // namespace

Check ok(std::string name, std::string value) {
  return {.name = std::move(name), .value = std::move(value), .fix = {}};
}
Check warn(std::string name, std::string value, std::string fix) {
  return {std::move(name), Verdict::warn, std::move(value), std::move(fix)};
}

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::ok:
      return "ok";
    case Verdict::warn:
      return "warn";
    case Verdict::fail:
      return "fail";
  }
  throw InternalError("unknown verdict");
}

std::string to_text(std::span<const Check> checks) {
  std::string text;
  for (const Check& check : checks) {
    text += fmt::format("{:<4}  {:<14}  {}\n", name_of(check.verdict), check.name, check.value);
    if (!check.fix.empty()) text += fmt::format("{:22}fix: {}\n", "", check.fix);
  }
  return text + fmt::format("{} ok, {} to look at, {} that stop every job\n",
                            count(checks, Verdict::ok), count(checks, Verdict::warn),
                            count(checks, Verdict::fail));
}

nlohmann::json to_json(std::span<const Check> checks) {
  nlohmann::json list = nlohmann::json::array();
  for (const Check& check : checks) {
    list.push_back({{"name", check.name},
                    {"verdict", name_of(check.verdict)},
                    {"value", check.value},
                    {"fix", check.fix}});
  }
  return {{"checks", list},
          {"warnings", count(checks, Verdict::warn)},
          {"failures", count(checks, Verdict::fail)}};
}

}  // namespace ty
