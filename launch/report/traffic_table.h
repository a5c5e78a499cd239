// The messages of a step by axis and call, for people and for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "launch/run/traffic.h"

namespace ty {

// One line per axis and call that sends anything: calls and bytes predicted, and (if given)
// measured beside them. Empty if nothing is sent.
std::string format_traffic(const Traffic& predicted, const Traffic* measured);
// {"tensor": {"all_reduce": {"calls": 12, "bytes": 4096}}, ..}: what sends anything.
nlohmann::json traffic_json(const Traffic& traffic);

}  // namespace ty
