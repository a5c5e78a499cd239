#include "launch/bench/random_batch.h"

#include <utility>

#include "core/base/random.h"
#include "launch/run/training_setup.h"

namespace ty::bench {

HostBatch random_batch(const JobConfig& job, std::int64_t vocab, const Group& data,
                       std::int64_t step) {
  const Range share = share_of_batch(job.data.batch, data);
  const RandomStream stream(static_cast<std::uint64_t>(job.run.seed), site_id("bench"),
                            static_cast<std::uint64_t>(step));
  const auto draw = [&](std::uint64_t i) {
    return static_cast<std::int32_t>(stream.word(static_cast<std::uint64_t>(share.first), i) %
                                     static_cast<std::uint64_t>(vocab));
  };
  const auto count = static_cast<std::uint64_t>(share.count * job.data.sequence);
  std::vector<std::int32_t> ids, targets;
  for (std::uint64_t i = 0; i < count; ++i) {
    ids.push_back(draw(i));
    targets.push_back(draw(i + count));
  }
  return token_batch(step * job.data.batch + share.first, share.count, std::move(ids),
                     std::move(targets));
}

}  // namespace ty::bench
