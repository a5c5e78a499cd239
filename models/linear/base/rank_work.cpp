#include "models/linear/base/rank_work.h"

#include "core/backend/device_model.h"
#include "models/linear/base/linear.h"

namespace ty {

namespace {

constexpr double kBytes = 4;  // of a number
constexpr double kTokens = kStepTokens;

}  // namespace

double RankWork::sent_bytes(int ranks) const {
  return kBytes * (numbers + 2 * gradients) * (ranks - 1) / ranks;
}

double RankWork::total_seconds(int ranks) const {
  return seconds + sent_bytes(ranks) / kLinkBytesPerSecond;
}

double seconds_of_flops(double forward_flops) {
  return 3 * forward_flops / host_cost_model(DType::f32).flops_per_second;
}

RankWork even_work(double seconds, double weights, const LinearShape& shape, Split split,
                   int ranks) {
  const auto outside = static_cast<double>(split == Split::out ? shape.in : shape.out);
  return {.seconds = seconds / ranks, .numbers = 2 * kTokens * outside, .weights = weights / ranks};
}

RankWork whole_work(double seconds, double weights, const LinearShape& shape, Split split,
                    const Sharing& sharing) {
  const auto in = static_cast<double>(shape.in), out = static_cast<double>(shape.out);
  RankWork work = {.seconds = seconds, .weights = weights};
  if (sharing.has_own_rows()) {  // tokens are swapped for columns
    work.numbers = 2 * kTokens * (split == Split::out ? out : in) / sharing.ranks();
    work.gradients = weights;
  } else if (split == Split::out) {  // gradients of x add up
    work.numbers = 2 * kTokens * in;
    work.gradients = weights;
  } else {  // columns of x are gathered
    work.numbers = kTokens * in;
  }
  return work;
}

}  // namespace ty
