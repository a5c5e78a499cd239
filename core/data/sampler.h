// Which windows of a corpus a step trains on: a pure function of (seed, step, position in the
// batch), so it needs no state, resumes anywhere and does not depend on the number of ranks.
//
// The corpus is cut into windows of sequence + 1 tokens (the last one is only a target), shifted by
// an offset that changes from epoch to epoch; an epoch visits every window once, in a keyed random
// order.
//
//   12 tokens, sequence 3, offset 1:     0 |1 2 3|4 5 6|7 8 9|10 11
//   window 1 reads tokens 4 5 6, and its targets are 5 6 7
#pragma once

#include <cstdint>
#include <memory>

#include "core/data/batch.h"
#include "core/data/token_file.h"

namespace ty {

class Sampler {
 public:
  // Throws DataError if the corpus has no room for one window.
  Sampler(std::int64_t tokens, std::int64_t sequence, std::uint64_t seed);

  // Windows of one epoch.
  std::int64_t windows() const { return windows_; }
  // First token of the window that sample `index` (counted over the whole run) trains on.
  std::int64_t first_token(std::int64_t index) const;

 private:
  std::int64_t sequence_;
  std::int64_t slack_;  // largest offset of the first window
  std::int64_t windows_;
  std::uint64_t seed_;
};

// Training: example i is sample i of the run, in epoch i / examples(). Keeps a reference to the
// file. Throws as Sampler does.
std::unique_ptr<Source> training_windows(const TokenFile& file, std::int64_t sequence,
                                         std::uint64_t seed);

// Evaluation reads a file from beginning to end in windows of `sequence` targets, the last one
// padded with targets of -1. Each begins `stride` tokens (1 .. sequence; 0: sequence) after the one
// before it; of targets that both have, the later one's are -1, so that each counts once.
//
//   sequence 4, stride 2:     0 1 2 3 4 5 6    window 0 reads 0 1 2 3, its targets are 1 2 3 4
//                                              window 1 reads 2 3 4 5, its targets are - - 5 6
//
// Keeps a reference to the file. Throws DataError for a file without a target.
std::unique_ptr<Source> evaluation_windows(const TokenFile& file, std::int64_t sequence,
                                           std::int64_t stride = 0);

}  // namespace ty
