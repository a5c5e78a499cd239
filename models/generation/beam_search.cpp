#include "models/generation/beam_search.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/error.h"

namespace ty {

std::vector<BeamSearch::Candidate> BeamSearch::best_candidates(
    const std::vector<std::vector<float>>& scores) const {
  const auto wanted = static_cast<std::size_t>(2 * options_.beams);  // half of them may end
  const auto better = [](const Candidate& a, const Candidate& b) { return a.score > b.score; };
  std::vector<Candidate> best;  // a heap with the worst on top
  for (std::size_t b = 0; b < scores.size(); ++b) {
    for (std::size_t id = 0; id < scores[b].size(); ++id) {
      const double score = open_[b] + static_cast<double>(scores[b][id]);
      if (std::isinf(score) || (best.size() == wanted && score <= best.front().score)) continue;
      if (best.size() == wanted) {
        std::pop_heap(best.begin(), best.end(), better);
        best.pop_back();
      }
      best.push_back({score, static_cast<std::int64_t>(b), static_cast<std::int32_t>(id)});
      std::push_heap(best.begin(), best.end(), better);
    }
  }
  std::sort_heap(best.begin(), best.end(), better);
  return best;
}

void BeamSearch::end(const Candidate& candidate, const Ids& before,
                     std::optional<std::int32_t> end) {
  const double length = std::pow(static_cast<double>(length_), options_.length_penalty);
  Ended text = {candidate.score / length, before};
  if (candidate.id != end) text.ids.push_back(candidate.id);
  const auto place = std::find_if(ended_.begin(), ended_.end(),
                                  [&](const Ended& e) { return e.score < text.score; });
  ended_.insert(place, std::move(text));
  if (std::ssize(ended_) > options_.beams) ended_.pop_back();
}

bool BeamSearch::is_done() const {
  if (open_.empty() || length_ == options_.max_tokens) return true;
  if (std::ssize(ended_) < options_.beams) return false;
  if (options_.early_stop == EarlyStop::yes) return true;
  const bool may_grow = options_.early_stop == EarlyStop::never && options_.length_penalty > 0;
  const auto length = static_cast<double>(may_grow ? options_.max_tokens : length_);
  return open_.front() / std::pow(length, options_.length_penalty) <= ended_.back().score;
}

std::vector<BeamSearch::Step> BeamSearch::advance(const std::vector<std::vector<float>>& scores,
                                                  std::span<const Ids> ids,
                                                  std::optional<std::int32_t> end_id) {
  const std::vector<Candidate> candidates = best_candidates(scores);
  ++length_;
  const bool is_last = length_ == options_.max_tokens;
  std::vector<double> open;
  std::vector<Step> steps;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const Candidate& candidate = candidates[i];
    if (candidate.id == end_id || is_last) {
      // Below the first `beams`, an end says only that others are better.
      if (static_cast<std::int64_t>(i) >= options_.beams) continue;
      end(candidate, ids[static_cast<std::size_t>(candidate.beam)], end_id);
    } else if (std::ssize(steps) < options_.beams) {
      open.push_back(candidate.score);
      steps.push_back({candidate.beam, candidate.id});
    }
  }
  open_ = std::move(open);
  if (candidates.empty() && ended_.empty()) ended_.push_back({0.0, ids.front()});
  if (is_done()) return {};
  return steps;
}

const Ids& BeamSearch::best() const {
  TY_CHECK(!ended_.empty(), "no text has ended");
  return ended_.front().ids;
}

namespace {

// Logits -> logarithms of probabilities.
void to_log_probabilities(std::vector<float>& logits) {
  const float top = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float x : logits) sum += std::exp(static_cast<double>(x - top));
  const auto shift = static_cast<float>(static_cast<double>(top) + std::log(sum));
  for (float& x : logits) x -= shift;
}

// A prompt's search, and where its open beams are in the decoder's batch.
struct Search {
  BeamSearch beams;
  std::int64_t first_length;  // of its sequence, before anything was added
  std::int64_t first, count;  // sequences of the batch; none when it is done
};

}  // namespace

std::vector<Ids> beam_search(const Generator& generator, const TextIds& text,
                             const std::vector<Ids>& prompts, const BeamOptions& options) {
  Decoder decoder(generator, options.max_tokens);
  std::vector<std::vector<float>> logits = decoder.start(prompts);
  std::vector<Search> searches;
  for (const Ids& ids : decoder.sequences()) {
    searches.push_back({BeamSearch(options), std::ssize(ids), std::ssize(searches), 1});
  }
  while (true) {
    std::vector<std::int64_t> kept;
    Ids next;
    for (Search& search : searches) {
      std::vector<std::vector<float>> scores;
      std::vector<Ids> fresh;
      for (std::int64_t b = search.first; b < search.first + search.count; ++b) {
        const Ids& ids = decoder.sequences()[static_cast<std::size_t>(b)];
        std::vector<float>& row = logits[static_cast<std::size_t>(b)];
        to_log_probabilities(row);
        apply_rules(row, ids, text, options.repetition);
        apply_forced(row, std::ssize(ids) - search.first_length, options.max_tokens, text);
        scores.push_back(std::move(row));
        fresh.emplace_back(ids.begin() + search.first_length, ids.end());
      }
      if (search.count == 0) continue;
      const auto steps = search.beams.advance(scores, fresh, text.end);
      for (const BeamSearch::Step& step : steps) {
        kept.push_back(search.first + step.beam);
        next.push_back(step.id);
      }
      search.count = std::ssize(steps);
      search.first = std::ssize(kept) - search.count;
    }
    if (kept.empty()) break;
    decoder.keep(kept);
    logits = decoder.add(next);
  }
  std::vector<Ids> best;
  for (const Search& search : searches) best.push_back(search.beams.best());
  return best;
}

}  // namespace ty
