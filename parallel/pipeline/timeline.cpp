#include "parallel/pipeline/timeline.h"

#include <algorithm>

namespace ty {

double Timeline::seconds() const {
  double last = 0.0;
  for (const std::vector<Span>& spans : stages) {
    for (const Span& span : spans) last = std::max(last, span.end);
  }
  return last;
}

double Timeline::busy(int stage) const {
  double sum = 0.0;
  for (const Span& span : stages[static_cast<std::size_t>(stage)]) sum += span.end - span.begin;
  return sum;
}

double Timeline::bubble(int stage) const {
  const double all = seconds();
  return all > 0.0 ? 1.0 - busy(stage) / all : 0.0;
}

double Timeline::bubble() const {
  double sum = 0.0;
  for (int stage = 0; stage < shape.stages; ++stage) sum += bubble(stage);
  return sum / shape.stages;
}

}  // namespace ty
