#include "parallel/comm/communicator.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "core/base/error.h"

namespace ty {

std::string_view name_of(ReduceOp op) {
  switch (op) {
    case ReduceOp::sum:
      return "sum";
    case ReduceOp::max:
      return "max";
    case ReduceOp::min:
      return "min";
  }
  return "?";
}

std::shared_ptr<Communicator> Communicator::subgroup(std::span<const int> members) {
  const auto own = std::find(members.begin(), members.end(), rank());
  if (own == members.end()) {
    throw CommError("subgroup: rank {} is not in its own list of {} ranks", rank(), members.size());
  }
  const int lowest = *std::min_element(members.begin(), members.end());
  auto child = split(lowest, static_cast<int>(own - members.begin()));
  if (child->size() != static_cast<int>(members.size())) {
    throw CommError("subgroup: rank {} lists {} ranks, but {} list rank {} as their first", rank(),
                    members.size(), child->size(), lowest);
  }
  return child;
}

std::vector<std::string> Group::all_gather_text(const std::string& own) const {
  std::vector<std::int64_t> lengths(static_cast<std::size_t>(size()));
  auto length = static_cast<std::int64_t>(own.size());
  all_gather(contiguous_view(lengths.data(), DType::i64, {size()}),
             contiguous_view(&length, DType::i64, {1}))
      .wait();
  // Text travels in whole int32 words, padded to the longest.
  const std::int64_t longest = *std::max_element(lengths.begin(), lengths.end());
  const std::int64_t words = (longest + 3) / 4;
  std::vector<std::int32_t> mine(static_cast<std::size_t>(words));
  std::vector<std::int32_t> all(static_cast<std::size_t>(words * size()));
  if (!own.empty()) std::memcpy(mine.data(), own.data(), own.size());
  all_gather(contiguous_view(all.data(), DType::i32, {words * size()}),
             contiguous_view(mine.data(), DType::i32, {words}))
      .wait();
  std::vector<std::string> texts;
  for (int r = 0; r < size(); ++r) {
    const auto* first = reinterpret_cast<const char*>(all.data() + words * r);
    texts.emplace_back(first, static_cast<std::size_t>(lengths[static_cast<std::size_t>(r)]));
  }
  return texts;
}

double Group::all_reduce(double value, ReduceOp op) const {
  all_reduce(contiguous_view(&value, DType::f64, {1}), op).wait();
  return value;
}

void check_whole(const char* call, const View& x) {
  if (!x.is_contiguous()) {
    throw CommError("{}: wants a contiguous view, got shape {} with strides {}", call,
                    x.shape.str(), x.strides.str());
  }
}

void check_parts(const char* call, const View& all, const View& own, int size) {
  check_whole(call, all);
  check_whole(call, own);
  if (all.dtype != own.dtype || all.numel() != own.numel() * size) {
    throw CommError("{}: {} elements of {} are not {} times {} of {}", call, all.numel(),
                    name_of(all.dtype), size, own.numel(), name_of(own.dtype));
  }
}

void check_rank(const char* call, int rank, int size) {
  if (rank < 0 || rank >= size) {
    throw CommError("{}: rank {} is not in a group of {}", call, rank, size);
  }
}

void check_message(const char* call, const View& x, int peer, int tag, int size) {
  check_whole(call, x);
  check_rank(call, peer, size);
  if (tag < 0 || tag >= 2 * kReservedTags) {
    throw CommError("{}: tag {} is not in [0, {})", call, tag, kReservedTags);
  }
}

namespace {

template <typename T>
bool is_nan([[maybe_unused]] T x) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::isnan(x);
  } else {
    return false;
  }
}

}  // namespace

void combine(ReduceOp op, const View& y, const View& x) {
  const std::int64_t n = y.numel();
  dispatch_dtype(y.dtype, [&](auto t) {
    using T = decltype(t);
    T* a = y.as<T>();
    const T* b = x.as<T>();
    const auto each = [&](auto fn) {
      for (std::int64_t i = 0; i < n; ++i) {
        if constexpr (sizeof(T) == 2) {
          a[i] = T(fn(static_cast<float>(a[i]), static_cast<float>(b[i])));
        } else {
          a[i] = fn(a[i], b[i]);
        }
      }
    };
    switch (op) {
      case ReduceOp::sum:
        return each([](auto p, auto q) { return p + q; });
      case ReduceOp::max:
        return each([](auto p, auto q) { return p < q || is_nan(q) ? q : p; });
      case ReduceOp::min:
        return each([](auto p, auto q) { return q < p || is_nan(q) ? q : p; });
    }
  });
}

}  // namespace ty
