#include "models/transformer/kv_cache.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/base/error.h"
#include "core/ops/attention.h"
#include "core/ops/shape.h"

namespace ty {

KvCache::KvCache(std::int64_t sequences, std::int64_t capacity)
    : capacity_(capacity),
      lengths_(static_cast<std::size_t>(sequences), 0),
      sources_(static_cast<std::size_t>(sequences)) {
  std::iota(sources_.begin(), sources_.end(), 0);
}

std::int64_t KvCache::longest() const {
  return lengths_.empty() ? 0 : *std::max_element(lengths_.begin(), lengths_.end());
}

bool KvCache::is_even() const {
  return std::all_of(lengths_.begin(), lengths_.end(),
                     [&](std::int64_t length) { return length == lengths_.front(); });
}

std::int64_t KvCache::bytes() const {
  std::size_t all = 0;
  for (const auto* entries : {&growing_, &fixed_}) {
    for (const auto& [site, entry] : *entries) {
      all += entry.keys.view().bytes() + entry.values.view().bytes();
    }
  }
  return static_cast<std::int64_t>(all);
}

KvCache::Entry& KvCache::entry_for(std::uint64_t site, const View& keys) {
  Entry& entry = growing_[site];
  if (!entry.keys.defined()) return entry;
  const Shape want = {sequences(), keys.shape[1], capacity_, keys.shape[3]};
  TY_CHECK(entry.keys.shape() == want, "the cache has keys {} and is to hold {}",
           entry.keys.shape().str(), want.str());
  return entry;
}

// fresh [B, H, T, D] behind each sequence's length.
void KvCache::write(const Tensor& kept, const View& fresh) const {
  Backend& backend = kept.backend();
  const std::int64_t count = fresh.shape[2];
  if (is_even()) return backend.copy(kept.view().slice(2, lengths_.front(), count), fresh);
  for (std::int64_t b = 0; b < sequences(); ++b) {
    const std::int64_t first = lengths_[static_cast<std::size_t>(b)];
    backend.copy(kept.view()[b].slice(1, first, count), fresh[b]);
  }
}

Tensor KvCache::attend(std::uint64_t site, const Tensor& qkv, std::int64_t heads,
                       AttentionOptions options) {
  const Tensor packed = qkv.contiguous();
  const View q = head_view(packed.view(), heads, 0), k = head_view(packed.view(), heads, 1),
             v = head_view(packed.view(), heads, 2);
  Backend& backend = qkv.backend();
  const std::int64_t count = k.shape[2], all = longest() + count;
  TY_CHECK(k.shape[0] == sequences() && all <= capacity_ && (count == 1 || is_even()),
           "{} sequences of {} new tokens in a cache of {} with room for {} of {}", k.shape[0],
           count, sequences(), capacity_ - longest(), capacity_);
  Entry& entry = entry_for(site, k);
  if (!entry.keys.defined()) {
    const Shape shape = {k.shape[0], k.shape[1], capacity_, k.shape[3]};
    entry.keys = Tensor::empty(backend, shape, qkv.dtype(), MemoryClass::activation);
    entry.values = Tensor::empty(backend, shape, qkv.dtype(), MemoryClass::activation);
  }
  write(entry.keys, k);
  write(entry.values, v);
  if (!is_even() && !seen_.defined()) {
    std::vector<std::int32_t> seen;
    for (const std::int64_t length : lengths_) {
      seen.push_back(static_cast<std::int32_t>(length + 1));
    }
    seen_ = Tensor::from<std::int32_t>(backend, {sequences()}, seen);
  }
  options.causal = count > 1;  // a single token sees all there are of its sequence
  const auto held = [&](const Tensor& x) { return x.alias(x.view().slice(2, 0, all)); };
  return attention_of_heads(packed.alias(q), held(entry.keys), held(entry.values), options,
                            is_even() ? Tensor() : seen_);
}

std::vector<KvCache::Run> KvCache::runs() const {
  std::vector<Run> all;
  for (std::int64_t b = 0; b < sequences();) {
    const std::int64_t source = sources_[static_cast<std::size_t>(b)];
    std::int64_t end = b;
    while (end < sequences() && sources_[static_cast<std::size_t>(end)] == source) ++end;
    const std::int64_t count = end - b;
    Run* last = all.empty() ? nullptr : &all.back();
    const bool goes_on = last != nullptr && source == last->source + last->sources &&
                         count * last->sources == last->count;
    if (goes_on) {
      last->count += count;
      ++last->sources;
    } else {
      all.push_back({b, count, source, 1});
    }
    b = end;
  }
  return all;
}

Tensor KvCache::attend_source(std::uint64_t site, const Tensor& q, std::int64_t heads,
                              const AttentionOptions& options, const std::function<Entry()>& make) {
  Entry& entry = fixed_[site];
  if (!entry.keys.defined()) entry = make();
  const std::int64_t tokens = q.dim(1), width = q.dim(2) / heads;
  // Tokens about one source attend to it as if they were of one sequence.
  const auto attend = [&](const Run& run) {
    const Tensor own = narrow(q, 0, run.first, run.count);
    const Tensor queries =
        permute(reshape(own, {run.sources, -1, heads, width}), {0, 2, 1, 3});  // [.., H, T', D]
    const auto of_run = [&](const Tensor& x) {
      return x.defined() ? narrow(x, 0, run.source, run.sources) : x;
    };
    const Tensor y = attention_of_heads(queries, of_run(entry.keys), of_run(entry.values), options,
                                        of_run(source_lengths_));
    return reshape(y, {run.count, tokens, heads * width});
  };
  const std::vector<Run> all = runs();
  if (all.size() == 1) return attend(all.front());
  const Tensor y = Tensor::empty_like(q);
  for (const Run& run : all) {
    y.backend().copy(y.view().slice(0, run.first, run.count), attend(run).view());
  }
  return y;
}

void KvCache::advance(std::span<const std::int64_t> counts) {
  TY_CHECK(std::ssize(counts) == sequences(), "{} counts for {} sequences", counts.size(),
           sequences());
  for (std::size_t b = 0; b < counts.size(); ++b) lengths_[b] += counts[b];
  seen_ = {};
}

namespace {

// Rows [B, H, capacity, D] of these sequences, of which `length` tokens count.
Tensor rows_of(const Tensor& x, std::span<const std::int64_t> sequences, std::int64_t length) {
  Shape shape = x.shape();
  shape[0] = std::ssize(sequences);
  const Tensor y = Tensor::empty(x.backend(), shape, x.dtype(), MemoryClass::activation);
  for (std::int64_t i = 0; i < shape[0]; ++i) {
    const View from = x.view()[sequences[static_cast<std::size_t>(i)]];
    x.backend().copy(y.view()[i].slice(1, 0, length), from.slice(1, 0, length));
  }
  return y;
}

}  // namespace

void KvCache::keep(std::span<const std::int64_t> sequences) {
  std::vector<std::int64_t> same(lengths_.size());
  std::iota(same.begin(), same.end(), 0);
  if (std::equal(same.begin(), same.end(), sequences.begin(), sequences.end())) return;
  for (auto& [site, entry] : growing_) {
    entry.keys = rows_of(entry.keys, sequences, longest());
    entry.values = rows_of(entry.values, sequences, longest());
  }
  for (auto* numbers : {&lengths_, &sources_}) {
    std::vector<std::int64_t> kept;
    for (const std::int64_t i : sequences) kept.push_back((*numbers)[static_cast<std::size_t>(i)]);
    *numbers = std::move(kept);
  }
  seen_ = {};
}

}  // namespace ty
