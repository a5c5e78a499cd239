// What a rank sends to others in a step: calls and bytes over each axis of the mesh, as
// parallel/comm/counts.h counts them.
#pragma once

#include <string_view>
#include <vector>

#include "launch/run/layout.h"

namespace ty {

struct TrafficRow {
  std::string_view axis;  // "data", "tensor", "pipeline", "data x tensor", "pipeline's ends"
  CommCall call;
  CommCounts counts;
  friend bool operator==(const TrafficRow&, const TrafficRow&) = default;
};
// One row per axis and kind of call, in a fixed order.
using Traffic = std::vector<TrafficRow>;

// Of this rank, since the layout was made.
Traffic traffic_of(const Layout& layout);
// What came after `before`.
Traffic traffic_since(const Traffic& before, Traffic now);
std::int64_t bytes_of(const Traffic& traffic);

}  // namespace ty
