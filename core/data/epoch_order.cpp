#include "core/data/epoch_order.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/base/random.h"

namespace ty {

namespace {

constexpr std::int64_t kPoolBatches = 50;  // that are sorted together

}  // namespace

EpochOrder::EpochOrder(std::vector<std::int64_t> lengths, std::int64_t batch, std::uint64_t seed)
    : lengths_(std::move(lengths)), batch_(batch), seed_(seed) {
  TY_CHECK(!lengths_.empty() && batch > 0, "{} examples in batches of {}", lengths_.size(), batch);
}

std::int64_t EpochOrder::examples() const { return std::ssize(lengths_); }

std::int64_t EpochOrder::example_of(std::int64_t index) const {
  const std::int64_t epoch = index / examples();
  if (epoch != epoch_) {
    order_ = order_of(epoch);
    epoch_ = epoch;
  }
  return order_[static_cast<std::size_t>(index % examples())];
}

std::vector<std::int32_t> EpochOrder::order_of(std::int64_t epoch) const {
  const RandomStream stream(seed_, site_id("data.order"), static_cast<std::uint64_t>(epoch));
  const Permutation shuffled(lengths_.size(), stream);
  std::vector<std::int32_t> order;
  for (std::uint64_t i = 0; i < lengths_.size(); ++i) {
    order.push_back(static_cast<std::int32_t>(shuffled(i)));
  }
  const auto length_of = [&](std::int32_t example) {
    return lengths_[static_cast<std::size_t>(example)];
  };
  // The first ones fill up the step that the epoch before has begun.
  const std::int64_t begun = epoch * examples() % batch_;
  std::int64_t first = begun == 0 ? 0 : batch_ - begun;
  for (; first + batch_ <= examples(); first += kPoolBatches * batch_) {
    const std::int64_t batches = std::min(kPoolBatches, (examples() - first) / batch_);
    const auto pool = order.begin() + first;
    std::stable_sort(pool, pool + batches * batch_,
                     [&](std::int32_t a, std::int32_t b) { return length_of(a) < length_of(b); });
    const std::vector<std::int32_t> sorted(pool, pool + batches * batch_);
    const Permutation moved(static_cast<std::uint64_t>(batches),
                            RandomStream(seed_, site_id("data.pools"),
                                         static_cast<std::uint64_t>(epoch * examples() + first)));
    for (std::int64_t i = 0; i < batches; ++i) {
      const auto from = static_cast<std::int64_t>(moved(static_cast<std::uint64_t>(i)));
      std::copy_n(sorted.begin() + from * batch_, batch_, pool + i * batch_);
    }
  }
  return order;
}

}  // namespace ty
