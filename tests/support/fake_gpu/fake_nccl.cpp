#include "tests/support/fake_gpu/fake_nccl.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace ty::test {

namespace {

View flat(const void* data, DType dtype, std::int64_t count) {
  return contiguous_view(const_cast<void*>(data), dtype, {count});
}

}  // namespace

void FakeMeeting::run() const {
  const std::size_t size = static_cast<std::size_t>(count) * size_of(dtype);
  const std::size_t ranks = parts.size();
  std::vector<std::byte> result;
  const auto add = [&](std::size_t rank, std::size_t bytes) {
    const auto* first = static_cast<const std::byte*>(parts[rank].in);
    result.insert(result.end(), first, first + bytes);
  };
  switch (kind) {
    case Kind::all_reduce:
    case Kind::reduce_scatter: {
      const bool scatters = kind == Kind::reduce_scatter;
      const auto whole = scatters ? count * static_cast<std::int64_t>(ranks) : count;
      add(0, size * (scatters ? ranks : 1));
      for (std::size_t r = 1; r < ranks; ++r) {
        combine(op, flat(result.data(), dtype, whole), flat(parts[r].in, dtype, whole));
      }
      for (std::size_t r = 0; r < ranks; ++r) {
        std::memcpy(parts[r].out, result.data() + (scatters ? r * size : 0), size);
      }
      return;
    }
    case Kind::all_gather:
      for (std::size_t r = 0; r < ranks; ++r) add(r, size);
      break;
    case Kind::broadcast:
      add(root, size);
      break;
    case Kind::message:
      std::memcpy(parts[1].out, parts[0].in, size);
      return;
  }
  for (const FakePart& part : parts) std::memcpy(part.out, result.data(), result.size());
}

FakeClique& FakeNccl::new_clique(int size) {
  const int number = static_cast<int>(cliques_.size());
  FakeClique& clique = cliques_.emplace_back();
  clique.number = number;
  clique.size = size;
  return clique;
}

ncclComm_t FakeNccl::new_comm(FakeClique& clique, int rank) {
  ++clique.joined;
  return reinterpret_cast<ncclComm_t>(&comms_.emplace_back(FakeComm{&clique, rank}));
}

FakeComm* FakeNccl::comm_of(ncclComm_t comm, const char* call) {
  auto* own = reinterpret_cast<FakeComm*>(comm);
  if (own->is_freed) {
    gpu_.add_fault(fmt::format("{} on communicator {}, which is freed", call, own->clique->number));
  }
  return own;
}

ncclResult_t FakeNccl::get_unique_id(ncclUniqueId* id) {
  const std::lock_guard lock(gpu_.mutex());
  const int number = ++ids_;
  *id = {};
  std::memcpy(id->internal, &number, sizeof(number));
  return ncclSuccess;
}

ncclResult_t FakeNccl::init_rank(ncclComm_t* out, int size, const ncclUniqueId& id, int rank) {
  const std::lock_guard lock(gpu_.mutex());
  int number = 0;
  std::memcpy(&number, id.internal, sizeof(number));
  FakeClique*& clique = by_id_[number];
  if (clique == nullptr) clique = &new_clique(size);
  *out = new_comm(*clique, rank);
  return ncclInProgress;
}

ncclResult_t FakeNccl::split(ncclComm_t parent, int color, int key, ncclComm_t* out) {
  const std::lock_guard lock(gpu_.mutex());
  FakeComm* own = comm_of(parent, "split");
  auto& wishes = own->clique->splits[own->splits++];
  wishes[own->rank] = {color, key, out};
  if (static_cast<int>(wishes.size()) == own->clique->size) make_children(wishes);
  return ncclInProgress;
}

void FakeNccl::make_children(const std::map<int, FakeWish>& wishes) {
  std::map<int, std::vector<std::pair<int, int>>> colors;  // key, rank
  for (const auto& [rank, wish] : wishes) {
    if (wish.color >= 0) colors[wish.color].emplace_back(wish.key, rank);
  }
  for (auto& [color, members] : colors) {
    std::sort(members.begin(), members.end());
    FakeClique& clique = new_clique(static_cast<int>(members.size()));
    int rank = 0;
    for (const auto& [key, member] : members) *wishes.at(member).out = new_comm(clique, rank++);
  }
}

ncclResult_t FakeNccl::get_async_error(ncclComm_t comm, ncclResult_t* state) {
  const std::lock_guard lock(gpu_.mutex());
  const FakeComm* own = comm_of(comm, "get_async_error");
  const FakeClique& clique = *own->clique;
  const auto pending = own->splits == 0 ? clique.splits.end() : clique.splits.find(own->splits - 1);
  const bool splits =
      pending != clique.splits.end() && static_cast<int>(pending->second.size()) < clique.size;
  *state = error_ != ncclSuccess                   ? error_
           : clique.joined < clique.size || splits ? ncclInProgress
                                                   : ncclSuccess;
  return ncclSuccess;
}

ncclResult_t FakeNccl::free(ncclComm_t comm, bool is_abort) {
  const std::lock_guard lock(gpu_.mutex());
  FakeComm* own = comm_of(comm, is_abort ? "abort" : "destroy");
  own->is_freed = true;
  own->clique->is_aborted |= is_abort;
  aborted_ += is_abort ? 1 : 0;
  return ncclSuccess;
}

void FakeNccl::meet(FakeClique& clique, std::shared_ptr<FakeMeeting>& meeting, std::size_t place,
                    const FakeMeeting& call, const FakePart& part) {
  if (meeting == nullptr) {
    meeting = std::make_shared<FakeMeeting>(call);
    meeting->is_aborted = &clique.is_aborted;
  } else if (meeting->what != call.what) {
    meeting->is_broken = true;
    gpu_.add_fault(fmt::format("communicator {}: one rank calls {}, another {}", clique.number,
                               meeting->what, call.what));
  }
  meeting->parts[place] = part;
  if (++meeting->arrived == meeting->parts.size()) {
    record_.push_back(fmt::format("{}: {}", clique.number, call.what));
  }
}

ncclResult_t FakeNccl::collective(ncclComm_t comm, const FakeMeeting& call, const void* in,
                                  void* out, cudaStream_t handle) {
  const std::lock_guard lock(gpu_.mutex());
  FakeComm* own = comm_of(comm, call.what.c_str());
  FakeClique& clique = *own->clique;
  auto& stream = *reinterpret_cast<FakeStream*>(handle);
  auto& meeting = clique.collectives[own->collectives++];
  FakeMeeting sized = call;
  sized.parts.resize(static_cast<std::size_t>(clique.size));
  meet(clique, meeting, static_cast<std::size_t>(own->rank), sized,
       {{&stream, stream.issued() + 1}, in, out});
  const std::size_t part = static_cast<std::size_t>(call.count) * size_of(call.dtype);
  const std::size_t whole = part * static_cast<std::size_t>(clique.size);
  const bool gathers = call.kind == FakeMeeting::Kind::all_gather;
  const bool scatters = call.kind == FakeMeeting::Kind::reduce_scatter;
  gpu_.put(stream, {.name = call.what, .meeting = meeting},
           {fake_read(in, scatters ? whole : part), fake_write(out, gathers ? whole : part)});
  return ncclSuccess;
}

ncclResult_t FakeNccl::message(ncclComm_t comm, const FakeMeeting& call, int peer, const void* in,
                               void* out, cudaStream_t handle) {
  const std::lock_guard lock(gpu_.mutex());
  FakeComm* own = comm_of(comm, call.what.c_str());
  FakeClique& clique = *own->clique;
  auto& stream = *reinterpret_cast<FakeStream*>(handle);
  const bool sends = in != nullptr;
  const int sender = sends ? own->rank : peer;
  const std::int64_t number = sends ? own->sent[peer]++ : own->received[peer]++;
  auto& meeting = clique.messages[{sender * clique.size + (sends ? peer : own->rank), number}];
  FakeMeeting sized = call;
  sized.parts.resize(2);
  meet(clique, meeting, sends ? 0 : 1, sized, {{&stream, stream.issued() + 1}, in, out});
  const std::size_t bytes = static_cast<std::size_t>(call.count) * size_of(call.dtype);
  gpu_.put(
      stream,
      {.name = fmt::format("{} of {}", sends ? "send" : "receive", call.what), .meeting = meeting},
      {sends ? fake_read(in, bytes) : fake_write(out, bytes)});
  return ncclSuccess;
}

void FakeNccl::fail(ncclResult_t error) {
  const std::lock_guard lock(gpu_.mutex());
  error_ = error;
}

int FakeNccl::alive() const {
  return static_cast<int>(std::count_if(comms_.begin(), comms_.end(),
                                        [](const FakeComm& comm) { return !comm.is_freed; }));
}

int FakeNccl::aborted() const { return aborted_; }

}  // namespace ty::test
