#include "launch/run/stage_times.h"

#include <algorithm>

#include "core/base/stopwatch.h"

namespace ty {

void StageTimes::begin_step() {
  now_ = {};
  began_ = Stopwatch().started_at();
}

void StageTimes::add(const Span& span) {
  const auto chunk = static_cast<std::size_t>(span.action.chunk);
  if (now_.actions.size() <= chunk) now_.actions.resize(chunk + 1);
  Sum& sum = now_.actions[chunk][static_cast<std::size_t>(span.action.kind)];
  sum.seconds += span.end - span.begin;
  sum.count += 1.0;
  now_.busy += span.end - span.begin;
  now_.seconds = std::max(now_.seconds, span.end - began_);
}

void StageTimes::end_step() {
  if (++steps_ == 0) return;
  all_.busy += now_.busy;
  all_.seconds += now_.seconds;
  all_.actions.resize(std::max(all_.actions.size(), now_.actions.size()));
  for (std::size_t c = 0; c < now_.actions.size(); ++c) {
    for (std::size_t k = 0; k < now_.actions[c].size(); ++k) {
      all_.actions[c][k].seconds += now_.actions[c][k].seconds;
      all_.actions[c][k].count += now_.actions[c][k].count;
    }
  }
}

namespace {

// Every stage's numbers, by stage.
std::vector<double> of_all_stages(const Group& pipeline, std::vector<double> own) {
  const auto count = static_cast<std::int64_t>(own.size());
  std::vector<double> all(own.size() * static_cast<std::size_t>(pipeline.size()));
  pipeline
      .all_gather(contiguous_view(all.data(), DType::f64, {std::ssize(all)}),
                  contiguous_view(own.data(), DType::f64, {count}))
      .wait();
  return all;
}

}  // namespace

PipelineTimes StageTimes::gather(const StagePeak& peak, const Program& program,
                                 ExecutionOrder order, const Group& pipeline) const {
  const PipeShape& shape = program.shape;
  PipelineTimes times;
  times.shape = shape;
  times.steps = std::max<std::int64_t>(steps_, 0);
  if (times.steps == 0) return times;
  const auto steps = static_cast<double>(times.steps);
  std::vector<double> numbers = {all_.busy / steps, all_.seconds / steps, peak.predicted,
                                 peak.measured};
  const std::size_t first_action = numbers.size();
  for (int chunk = 0; chunk < shape.chunks; ++chunk) {
    for (std::size_t kind = 0; kind < 3; ++kind) {
      const auto& sum = all_.actions.at(static_cast<std::size_t>(chunk))[kind];
      numbers.push_back(sum.count > 0.0 ? sum.seconds / sum.count : 0.0);
    }
  }
  const std::size_t per_stage = numbers.size();
  const std::vector<double> all = of_all_stages(pipeline, std::move(numbers));
  const auto at = [&](int stage, std::size_t i) {
    return all[static_cast<std::size_t>(stage) * per_stage + i];
  };
  for (int stage = 0; stage < shape.stages; ++stage) {
    times.seconds = std::max(times.seconds, at(stage, 1));
  }
  for (int k = 0; k < shape.virtual_stages(); ++k) {
    const std::size_t first = first_action + 3 * static_cast<std::size_t>(k / shape.stages);
    const int stage = stage_of(k, shape);
    times.costs.virtual_stages.push_back({.forward = at(stage, first),
                                          .recompute = at(stage, first + 1),
                                          .backward = at(stage, first + 2)});
  }
  const Timeline simulated = simulate(program, times.costs, order);
  times.predicted_seconds = simulated.seconds();
  for (int stage = 0; stage < shape.stages; ++stage) {
    times.peaks.push_back({at(stage, 2), at(stage, 3)});
    times.bubbles.push_back(1.0 - at(stage, 0) / times.seconds);
    times.predictions.push_back(simulated.bubble(stage));
  }
  return times;
}

}  // namespace ty
