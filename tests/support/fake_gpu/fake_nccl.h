// NCCL's communicators and calls among the ranks of a FakeGpu.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "parallel/comm/communicator.h"
#include "tests/support/fake_gpu/fake_gpu.h"

namespace ty::test {

struct FakePart {
  FakeTarget at;  // up to and with this rank's task
  const void* in = nullptr;
  void* out = nullptr;
};

// One collective, or one message, of all ranks that take part.
struct FakeMeeting {
  enum class Kind { all_reduce, all_gather, reduce_scatter, broadcast, message };
  Kind kind;
  std::string what;  // must be equal on all ranks
  DType dtype;
  std::int64_t count = 0;  // of NCCL's call
  ReduceOp op = ReduceOp::sum;
  std::size_t root = 0;
  std::vector<FakePart> parts;  // by rank; of a message: sender, receiver
  std::size_t arrived = 0;
  bool is_broken = false;        // ranks have brought different calls
  bool has_lost_a_rank = false;  // never complete
  const bool* is_aborted = nullptr;

  bool is_complete() const { return arrived == parts.size() && !has_lost_a_rank; }
  bool is_off() const { return *is_aborted || is_broken; }
  void run() const;
};

struct FakeWish {
  int color, key;
  ncclComm_t* out;
};

// The ranks of one communicator.
struct FakeClique {
  int number = 0;
  int size = 0;
  int joined = 0;
  bool is_aborted = false;
  std::map<std::int64_t, std::shared_ptr<FakeMeeting>> collectives;               // by number
  std::map<std::pair<int, std::int64_t>, std::shared_ptr<FakeMeeting>> messages;  // sender, number
  std::map<std::int64_t, std::map<int, FakeWish>> splits;  // by number and rank
};

struct FakeComm {
  FakeClique* clique;
  int rank;
  bool is_freed = false;
  std::int64_t collectives = 0, splits = 0;
  std::map<int, std::int64_t> sent = {}, received = {};  // by peer
};

class FakeNccl {
 public:
  explicit FakeNccl(FakeGpu& gpu) : gpu_(gpu) {}

  ncclResult_t get_unique_id(ncclUniqueId* id);
  ncclResult_t init_rank(ncclComm_t* out, int size, const ncclUniqueId& id, int rank);
  ncclResult_t split(ncclComm_t parent, int color, int key, ncclComm_t* out);
  ncclResult_t get_async_error(ncclComm_t comm, ncclResult_t* state);
  ncclResult_t free(ncclComm_t comm, bool is_abort);
  ncclResult_t collective(ncclComm_t comm, const FakeMeeting& call, const void* in, void* out,
                          cudaStream_t stream);
  ncclResult_t message(ncclComm_t comm, const FakeMeeting& call, int peer, const void* in,
                       void* out, cudaStream_t stream);

  // From now on all communicators have this error.
  void fail(ncclResult_t error);
  // Communicators that nobody has freed.
  int alive() const;
  // Those that were aborted.
  int aborted() const;
  // Every call that all ranks have brought, as "2: all_reduce ...", 2 the communicator.
  const std::vector<std::string>& record() const { return record_; }

 private:
  FakeComm* comm_of(ncclComm_t comm, const char* call);
  FakeClique& new_clique(int size);
  ncclComm_t new_comm(FakeClique& clique, int rank);
  void make_children(const std::map<int, FakeWish>& wishes);
  void meet(FakeClique& clique, std::shared_ptr<FakeMeeting>& meeting, std::size_t place,
            const FakeMeeting& call, const FakePart& part);

  FakeGpu& gpu_;
  std::deque<FakeClique> cliques_;
  std::deque<FakeComm> comms_;
  std::map<int, FakeClique*> by_id_;
  int ids_ = 0, aborted_ = 0;
  ncclResult_t error_ = ncclSuccess;
  std::vector<std::string> record_;
};

}  // namespace ty::test
