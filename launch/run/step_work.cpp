#include "launch/run/step_work.h"

#include "launch/run/traffic.h"

namespace ty {

namespace {

StepWork& work_of(ChunkWork& chunk, Action::Kind kind) {
  return kind == Action::Kind::forward     ? chunk.forward
         : kind == Action::Kind::recompute ? chunk.recompute
                                           : chunk.backward;
}

}  // namespace

void StepWork::add(const StepWork& more, double times) {
  flops += more.flops * times;
  bytes += more.bytes * times;
  calls += more.calls * times;
  sent_bytes += more.sent_bytes * times;
}

WorkMeter::WorkMeter(DryBackend& backend, const Layout& layout, TrainingStep& step, int chunks,
                     std::int64_t micro_batches)
    : backend_(backend),
      layout_(layout),
      last_(count()),
      chunks_(static_cast<std::size_t>(chunks)) {
  const double share = 1.0 / static_cast<double>(micro_batches);
  step.observe([this, share](const Span& span) {
    ++actions_;
    ChunkWork& chunk = chunks_[static_cast<std::size_t>(span.action.chunk)];
    work_of(chunk, span.action.kind).add(take(), share);
  });
}

StepWork WorkMeter::take() {
  StepWork since = count();
  const StepWork now = since;
  since.add(last_, -1.0);
  last_ = now;
  return since;
}

// Messages between stages are not waited for by the one that sends them.
StepWork WorkMeter::count() const {
  StepWork work = {backend_.counts().matrix_flops, backend_.counts().bytes};
  for (const TrafficRow& row : traffic_of(layout_)) {
    const bool is_message = row.call == CommCall::send || row.call == CommCall::receive;
    if (is_message && row.axis == "pipeline") continue;
    work.calls += row.counts.bytes > 0 ? static_cast<double>(row.counts.calls) : 0.0;
    work.sent_bytes += static_cast<double>(row.counts.bytes);
  }
  return work;
}

}  // namespace ty
