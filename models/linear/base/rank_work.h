// What a layer costs one of the ranks that share it, by a model: the choice of layouts compares it
// (layout.h). It is counted for a step of one micro-batch of kStepTokens tokens, in fp32, on a
// machine of no kind in particular: neither what a job runs on nor its batch may decide what it
// computes.
#pragma once

#include <cstdint>

namespace ty {

struct LinearShape;
struct Sharing;
enum class Split : std::uint8_t;

inline constexpr std::int64_t kStepTokens = 4096;  // of the group of ranks together
// Of one direction between two ranks: 10 Gbit/s. Arithmetic is at the rate of host_cost_model().
inline constexpr double kLinkBytesPerSecond = 1.25e9;

struct RankWork {
  double seconds = 0;    // of arithmetic, forward and backward
  double numbers = 0;    // that cross ranks: n of an all-gather, 2 n of an all-reduce
  double gradients = 0;  // of weights that every rank holds and sees a part of: added up once
  double weights = 0;    // that the rank holds

  // Of a group of so many ranks.
  double sent_bytes(int ranks) const;
  double total_seconds(int ranks) const;
};

// Of operations in large products, forward and backward, a third of them forward.
double seconds_of_flops(double forward_flops);

// Of a layer that is divided evenly and sends what lies outside it, as dense ones do; `seconds` and
// `weights` are those of the whole layer.
RankWork even_work(double seconds, double weights, const LinearShape& shape, Split split,
                   int ranks);
// Of a layer that every rank holds whole. `seconds` of kStepTokens, or of the own ones if ranks
// have own rows.
RankWork whole_work(double seconds, double weights, const LinearShape& shape, Split split,
                    const Sharing& sharing);

}  // namespace ty
