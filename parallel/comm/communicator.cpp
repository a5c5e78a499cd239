#include "parallel/comm/communicator.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "core/backend/backend.h"
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

std::string_view name_of(CommCall call) {
  switch (call) {
    case CommCall::all_reduce:
      return "all_reduce";
    case CommCall::all_gather:
      return "all_gather";
    case CommCall::reduce_scatter:
      return "reduce_scatter";
    case CommCall::broadcast:
      return "broadcast";
    case CommCall::send:
      return "send";
    case CommCall::receive:
      return "receive";
    case CommCall::barrier:
      return "barrier";
  }
  return "?";
}

namespace {

void check_whole(CommCall call, const View& x) {
  if (!x.is_contiguous()) {
    throw CommError("{}: wants a contiguous view, got shape {} with strides {}", name_of(call),
                    x.shape.str(), x.strides.str());
  }
}

void check_parts(CommCall call, const View& all, const View& own, int size) {
  check_whole(call, all);
  check_whole(call, own);
  if (all.dtype != own.dtype || all.numel() != own.numel() * size) {
    throw CommError("{}: {} elements of {} are not {} times {} of {}", name_of(call), all.numel(),
                    name_of(all.dtype), size, own.numel(), name_of(own.dtype));
  }
}

void check_rank(CommCall call, int rank, int size) {
  if (rank < 0 || rank >= size) {
    throw CommError("{}: rank {} is not in a group of {}", name_of(call), rank, size);
  }
}

void check_message(CommCall call, const View& x, int peer, int tag, int size) {
  check_whole(call, x);
  check_rank(call, peer, size);
  if (tag < 0 || tag >= 2 * kReservedTags) {
    throw CommError("{}: tag {} is not in [0, {})", name_of(call), tag, kReservedTags);
  }
}

std::int64_t bytes_of(const View& x) { return static_cast<std::int64_t>(x.bytes()); }

}  // namespace

void Communicator::count(CommCall call, std::int64_t bytes) {
  CommCounts& counts = counts_[static_cast<std::size_t>(call)];
  ++counts.calls;
  counts.bytes += bytes;
}

Work Communicator::all_reduce(const View& x, ReduceOp op) {
  check_whole(CommCall::all_reduce, x);
  count(CommCall::all_reduce, 2 * bytes_of(x) * (size_ - 1) / size_);
  return do_all_reduce(x, op);
}

Work Communicator::all_gather(const View& all, const View& own) {
  check_parts(CommCall::all_gather, all, own, size_);
  count(CommCall::all_gather, bytes_of(own) * (size_ - 1));
  return do_all_gather(all, own);
}

Work Communicator::reduce_scatter(const View& own, const View& all, ReduceOp op) {
  check_parts(CommCall::reduce_scatter, all, own, size_);
  count(CommCall::reduce_scatter, bytes_of(own) * (size_ - 1));
  return do_reduce_scatter(own, all, op);
}

Work Communicator::broadcast(const View& x, int root) {
  check_whole(CommCall::broadcast, x);
  check_rank(CommCall::broadcast, root, size_);
  count(CommCall::broadcast, rank_ == root && size_ > 1 ? bytes_of(x) : 0);
  return do_broadcast(x, root);
}

Work Communicator::send(const View& x, int peer, int tag) {
  check_message(CommCall::send, x, peer, tag, size_);
  count(CommCall::send, peer == rank_ ? 0 : bytes_of(x));
  return do_send(x, peer, tag);
}

Work Communicator::receive(const View& x, int peer, int tag) {
  check_message(CommCall::receive, x, peer, tag, size_);
  count(CommCall::receive, 0);
  return do_receive(x, peer, tag);
}

void Communicator::barrier() {
  count(CommCall::barrier, 0);
  do_barrier();
}

std::shared_ptr<Communicator> Communicator::subgroup(std::span<const int> members) {
  const auto own = std::find(members.begin(), members.end(), rank_);
  if (own == members.end()) {
    throw CommError("subgroup: rank {} is not in its own list of {} ranks", rank_, members.size());
  }
  return do_subgroup(members, static_cast<int>(own - members.begin()));
}

std::shared_ptr<Communicator> Communicator::do_subgroup(std::span<const int> members, int own) {
  const int lowest = *std::min_element(members.begin(), members.end());
  auto child = split(lowest, own);
  if (child->size() != static_cast<int>(members.size())) {
    throw CommError("subgroup: rank {} lists {} ranks, but {} list rank {} as their first", rank_,
                    members.size(), child->size(), lowest);
  }
  return child;
}

std::shared_ptr<Communicator> Communicator::on(Backend& backend) {
  const auto plane = planes_.find(&backend);
  return plane != planes_.end() ? plane->second : do_on(backend);
}

void Communicator::set_plane(Backend& backend, std::shared_ptr<Communicator> plane) {
  TY_CHECK(plane->rank() == rank_ && plane->size() == size_,
           "rank {} of {} in this group, rank {} of {} on backend {}", rank_, size_, plane->rank(),
           plane->size(), backend.name());
  planes_[&backend] = std::move(plane);
}

std::shared_ptr<Communicator> Communicator::do_on(Backend& backend) {
  throw CommError("on: these ranks do not reach the memory of backend {}", backend.name());
}

Group Group::on(Backend& backend) const {
  return backend.has_host_memory() ? *this : Group(communicator_->on(backend));
}

std::int64_t Group::sent_bytes() const {
  std::int64_t bytes = 0;
  for (const CommCall call : kCommCalls) bytes += counts(call).bytes;
  return bytes;
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
