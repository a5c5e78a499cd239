#include "core/data/merge_trainer.h"

#include <algorithm>

namespace ty {

void MergeTrainer::add_word(std::span<const std::int32_t> ids, std::int64_t count) {
  const auto word = static_cast<std::int32_t>(counts_.size());
  counts_.push_back(count);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::int64_t here = std::ssize(symbols_);
    symbols_.push_back(
        {ids[i], word, i > 0 ? here - 1 : kNone, i + 1 < ids.size() ? here + 1 : kNone});
    if (i > 0) add(here - 1);
  }
}

void MergeTrainer::start() {
  for (const auto& [pair, occurrences] : pairs_) heap_.push({occurrences.count, pair});
}

std::optional<MergeTrainer::Pair> MergeTrainer::best() {
  while (!heap_.empty()) {
    const Candidate top = heap_.top();
    const std::int64_t now = pairs_[top.pair].count;
    if (top.count == now) return now >= 2 ? std::optional(top.pair) : std::nullopt;
    heap_.pop();
    if (now > 0) heap_.push({now, top.pair});
  }
  return std::nullopt;
}

void MergeTrainer::merge(Pair pair, std::int32_t result) {
  std::vector<std::int64_t> places = std::move(pairs_[pair].places);
  pairs_[pair].places.clear();
  std::sort(places.begin(), places.end());
  std::vector<Pair> grown;
  for (std::int64_t place : places) {
    if (pair_at(place) != pair) continue;  // merged otherwise since
    join(place, result);
    for (std::int64_t left : {at(place).previous, place}) {
      if (add(left)) grown.push_back(*pair_at(left));
    }
  }
  std::sort(grown.begin(), grown.end());
  grown.erase(std::unique(grown.begin(), grown.end()), grown.end());
  for (const Pair& p : grown) heap_.push({pairs_[p].count, p});
}

std::optional<MergeTrainer::Pair> MergeTrainer::pair_at(std::int64_t place) {
  if (place == kNone || at(place).id == kNone || at(place).next == kNone) return std::nullopt;
  return Pair{at(place).id, at(at(place).next).id};
}

bool MergeTrainer::add(std::int64_t place) {
  const auto pair = pair_at(place);
  if (!pair) return false;
  Occurrences& occurrences = pairs_[*pair];
  occurrences.count += count_of(place);
  occurrences.places.push_back(place);
  return true;
}

void MergeTrainer::remove(std::int64_t place) {
  if (const auto pair = pair_at(place)) pairs_[*pair].count -= count_of(place);
}

void MergeTrainer::join(std::int64_t place, std::int32_t result) {
  Symbol& left = at(place);
  Symbol& right = at(left.next);
  for (std::int64_t pair : {left.previous, place, left.next}) remove(pair);
  left.id = result;
  left.next = right.next;
  right.id = kNone;
  if (left.next != kNone) at(left.next).previous = place;
}

}  // namespace ty
