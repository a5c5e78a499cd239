#include "launch/bench/random_batch.h"

#include "core/base/random.h"
#include "launch/run/training_setup.h"
#include "models/transformer/model_batch.h"

namespace ty::bench {

HostBatch random_batch(const JobConfig& job, const ModelSpec& spec, const Group& data,
                       std::int64_t step) {
  const Range share = share_of_batch(job.data.batch, data);
  const RandomStream stream(static_cast<std::uint64_t>(job.run.seed), site_id("bench"),
                            static_cast<std::uint64_t>(step));
  std::uint64_t drawn = 0;
  const auto draw = [&](std::int64_t limit) {
    return static_cast<std::int32_t>(stream.word(static_cast<std::uint64_t>(share.first), drawn++) %
                                     static_cast<std::uint64_t>(limit));
  };
  HostBatch batch = model_batch(spec, share.count, job.data.sequence, draw);
  batch.first_sample = step * job.data.batch + share.first;
  return batch;
}

}  // namespace ty::bench
