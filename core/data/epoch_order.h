// The order in which a run visits examples of different lengths: a pure function of (seed, epoch).
//
// Each epoch is shuffled, cut into pools of some batches, and each pool sorted by length and cut
// into batches, which are shuffled again; so a batch holds examples of about one length, and little
// of it is padding.
//
//   shuffled   3 9 4 8 | 2 7 5 1      lengths of two pools, batches of 2
//   sorted     3 4 8 9 | 1 2 5 7
//   batches    8 9 3 4 | 1 2 5 7
#pragma once

#include <cstdint>
#include <vector>

namespace ty {

class EpochOrder {
 public:
  // `lengths`: of all examples, at least one; `batch`: examples of a step.
  EpochOrder(std::vector<std::int64_t> lengths, std::int64_t batch, std::uint64_t seed);

  std::int64_t examples() const;
  // The example that sample `index`, counted over the whole run, trains on. Samples [k batch, (k +
  // 1) batch) are one step.
  std::int64_t example_of(std::int64_t index) const;

 private:
  std::vector<std::int32_t> order_of(std::int64_t epoch) const;

  std::vector<std::int64_t> lengths_;
  std::int64_t batch_;
  std::uint64_t seed_;
  mutable std::int64_t epoch_ = -1;  // whose order is at hand
  mutable std::vector<std::int32_t> order_;
};

}  // namespace ty
