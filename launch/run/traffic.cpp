#include "launch/run/traffic.h"

#include <utility>

namespace ty {

Traffic traffic_of(const Layout& layout) {
  Traffic rows;
  for (const auto& [axis, group] :
       {std::pair("data", &layout.mesh.data()), std::pair("tensor", &layout.mesh.tensor()),
        std::pair("pipeline", &layout.mesh.pipeline()),
        std::pair("data x tensor", &layout.mesh.stage()),
        std::pair("pipeline's ends", &layout.mesh.ends())}) {
    for (const CommCall call : kCommCalls) rows.push_back({axis, call, group->counts(call)});
  }
  return rows;
}

Traffic traffic_since(const Traffic& before, Traffic now) {
  for (std::size_t i = 0; i < now.size(); ++i) {
    now[i].counts.calls -= before[i].counts.calls;
    now[i].counts.bytes -= before[i].counts.bytes;
  }
  return now;
}

std::int64_t bytes_of(const Traffic& traffic) {
  std::int64_t sum = 0;
  for (const TrafficRow& row : traffic) sum += row.counts.bytes;
  return sum;
}

}  // namespace ty
