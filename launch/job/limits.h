// Upper limits of sizes that a user states, in the job file or as an option: far above what any
// machine can run, and low enough that no product or sum of them in a model or plan overflows 64
// bits. The largest tensor, the logits of a step, has fewer than 2^51 elements.
#pragma once

#include <cstdint>

namespace ty {

inline constexpr std::int64_t kMostSteps = 1'000'000'000;
inline constexpr std::int64_t kMostSequences = 1 << 20;  // of a batch
inline constexpr std::int64_t kMostMicrobatches = 1 << 12;
inline constexpr std::int64_t kLongestSequence = 1 << 20;  // tokens; also a model's context
inline constexpr std::int64_t kMostStepTokens = 1 << 27;   // of a batch together
inline constexpr std::int64_t kMostStages = 1 << 10;       // of a pipeline
inline constexpr std::int64_t kMostChunks = 64;            // of a pipeline's stage
inline constexpr std::int64_t kMostLayers = 1000;
inline constexpr std::int64_t kMostFeatures = 1 << 18;  // of a layer's side; also ranks of factors
inline constexpr std::int64_t kMostWidth = kMostFeatures / 4;
inline constexpr std::int64_t kMostHeads = 1 << 12;
inline constexpr std::int64_t kMostTokenIds = 1 << 24;
inline constexpr std::int64_t kSmallestLearnedVocab = 257;  // bytes and the end of text
inline constexpr std::int64_t kMostRanks = 1 << 16;
inline constexpr std::int64_t kMostBucketMb = 1 << 16;
inline constexpr std::int64_t kMostLabels = 1 << 16;
inline constexpr std::int64_t kMostImageSize = 1 << 12;  // pixels along a side
inline constexpr std::int64_t kMostColumns = 1 << 20;    // of a table

}  // namespace ty
