// Beam search: the continuations with the highest total probability among those that a search of
// fixed width meets (Sutskever et al., arXiv 1409.3215). Scores, lengths and stopping are those of
// the `transformers` library.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/generation/decoder.h"
#include "models/generation/sampling.h"

namespace ty {

// When the search of a prompt ends before its last token. yes: when as many texts as beams have
// ended. no: when the best open beam, were it to end now, would score below the worst of them.
// never: when, of the longest text allowed (with a penalty above 0), it would still.
enum class EarlyStop : std::uint8_t { no, yes, never };

struct BeamOptions {
  std::int64_t max_tokens = 100;
  std::int64_t beams = 4;
  double length_penalty = 1.0;  // a text's score is its log probability over length^penalty
  EarlyStop early_stop = EarlyStop::no;
  RepetitionRules repetition = {};  // of logarithms of probabilities
};

// The search of one prompt, apart from the model: open beams, and the best texts that have ended.
class BeamSearch {
 public:
  explicit BeamSearch(const BeamOptions& options) : options_(options) {}

  // The next step of each open beam; it begins with one.
  struct Step {
    std::int64_t beam = 0;  // that it goes on from
    std::int32_t id = 0;
  };
  // Goes one token further: scores[b] are the log probabilities [V] of what follows open beam b,
  // and `ids` its new ids so far. Returns the beams that stay open; none at the end of the search.
  std::vector<Step> advance(const std::vector<std::vector<float>>& scores, std::span<const Ids> ids,
                            std::optional<std::int32_t> end);

  // New ids of the best text, without the end.
  const Ids& best() const;

 private:
  struct Ended {
    double score;
    Ids ids;
  };
  struct Candidate {
    double score;
    std::int64_t beam;
    std::int32_t id;
  };
  std::vector<Candidate> best_candidates(const std::vector<std::vector<float>>& scores) const;
  void end(const Candidate& candidate, const Ids& before, std::optional<std::int32_t> end);
  bool is_done() const;

  BeamOptions options_;
  std::vector<double> open_ = {0.0};  // log probabilities, the best first
  std::vector<Ended> ended_;          // the best first
  std::int64_t length_ = 0;           // new ids of each open beam
};

// The best continuation of each prompt (or answer to it, of an encoder-decoder), searched as if it
// were alone.
std::vector<Ids> beam_search(const Generator& generator, const TextIds& text,
                             const std::vector<Ids>& prompts, const BeamOptions& options);

}  // namespace ty
