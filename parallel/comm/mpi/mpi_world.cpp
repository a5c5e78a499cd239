#include "parallel/comm/mpi/mpi_world.h"

#include <mpi.h>
#include <sched.h>

#include <chrono>
#include <cstdlib>
#include <vector>

#include "core/base/error.h"

namespace ty {

namespace {

using Clock = std::chrono::steady_clock;

// Messages are cut into pieces of at most this many elements: MPI counts are ints.
constexpr std::int64_t kMaxCount = std::int64_t{1} << 30;

void check(int code, const char* call) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw CommError("{}: {}", call, std::string_view(text, static_cast<std::size_t>(length)));
}
#define TY_MPI_CALL(call) check(call, #call)

MPI_Datatype type_of(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return MPI_FLOAT;
    case DType::f64:
      return MPI_DOUBLE;
    case DType::i32:
      return MPI_INT32_T;
    case DType::i64:
      return MPI_INT64_T;
    case DType::bf16:
    case DType::f16:
      return MPI_UINT16_T;  // sums go through operations of ours
  }
  return MPI_BYTE;
}

template <DType dtype, ReduceOp op>
void combine_halves(void* in, void* inout, int* count, MPI_Datatype*) {
  combine(op, contiguous_view(inout, dtype, {*count}), contiguous_view(in, dtype, {*count}));
}

// Operations on 16-bit floats, made once per process.
class HalfOps {
 public:
  HalfOps() {
    make<DType::bf16>(bf16_);
    make<DType::f16>(f16_);
  }
  MPI_Op get(DType dtype, ReduceOp op) const {
    return (dtype == DType::bf16 ? bf16_ : f16_)[static_cast<std::size_t>(op)];
  }

 private:
  template <DType dtype>
  static void make(MPI_Op (&ops)[3]) {
    TY_MPI_CALL(MPI_Op_create(combine_halves<dtype, ReduceOp::sum>, 1, &ops[0]));
    TY_MPI_CALL(MPI_Op_create(combine_halves<dtype, ReduceOp::max>, 1, &ops[1]));
    TY_MPI_CALL(MPI_Op_create(combine_halves<dtype, ReduceOp::min>, 1, &ops[2]));
  }
  MPI_Op bf16_[3], f16_[3];
};

// What all communicators of a session share.
struct Settings {
  double timeout_seconds;
  HalfOps half_ops;
  MPI_Op op(DType dtype, ReduceOp op) const {
    if (size_of(dtype) == 2) return half_ops.get(dtype, op);
    return op == ReduceOp::sum ? MPI_SUM : op == ReduceOp::max ? MPI_MAX : MPI_MIN;
  }
};

class Requests final : public Work::State {
 public:
  Requests(std::vector<MPI_Request> requests, std::string what, double timeout)
      : requests_(std::move(requests)), what_(std::move(what)), timeout_(timeout) {}
  bool test() override {
    int done = 0;
    TY_MPI_CALL(MPI_Testall(static_cast<int>(requests_.size()), requests_.data(), &done,
                            MPI_STATUSES_IGNORE));
    return done != 0;
  }
  void wait() override {
    const auto start = Clock::now();
    for (int spins = 0; !test(); ++spins) {
      if (spins < 64) continue;
      sched_yield();  // ranks may share a core
      const double waited = std::chrono::duration<double>(Clock::now() - start).count();
      if (waited > timeout_) {
        throw CommError("{}: waited {:.0f} s for the other ranks; one of them hangs or is gone",
                        what_, waited);
      }
    }
  }

 private:
  std::vector<MPI_Request> requests_;
  std::string what_;
  double timeout_;
};

class MpiCommunicator final : public Communicator {
 public:
  MpiCommunicator(MPI_Comm comm, std::shared_ptr<const Settings> settings)
      : comm_(comm), settings_(std::move(settings)) {
    TY_MPI_CALL(MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN));
    TY_MPI_CALL(MPI_Comm_rank(comm_, &rank_));
    TY_MPI_CALL(MPI_Comm_size(comm_, &size_));
  }
  ~MpiCommunicator() override {
    if (comm_ != MPI_COMM_WORLD) MPI_Comm_free(&comm_);
  }

  int rank() const override { return rank_; }
  int size() const override { return size_; }

  Work all_reduce(const View& x, ReduceOp op) override {
    check_whole("all_reduce", x);
    return pieces("all_reduce", x, [&](const View& part, MPI_Request* request) {
      TY_MPI_CALL(MPI_Iallreduce(MPI_IN_PLACE, part.data, count(part), type_of(part.dtype),
                                 settings_->op(part.dtype, op), comm_, request));
    });
  }

  Work all_gather(const View& all, const View& own) override {
    check_parts("all_gather", all, own, size_);
    check_small("all_gather", own);
    const std::size_t offset = own.bytes() * static_cast<std::size_t>(rank_);
    const bool in_place = own.data == all.as<std::byte>() + offset;
    return one("all_gather", own, [&](MPI_Request* request) {
      TY_MPI_CALL(MPI_Iallgather(in_place ? MPI_IN_PLACE : own.data, count(own), type_of(own.dtype),
                                 all.data, count(own), type_of(own.dtype), comm_, request));
    });
  }

  Work reduce_scatter(const View& own, const View& all, ReduceOp op) override {
    check_parts("reduce_scatter", all, own, size_);
    check_small("reduce_scatter", own);
    return one("reduce_scatter", all, [&](MPI_Request* request) {
      TY_MPI_CALL(MPI_Ireduce_scatter_block(all.data, own.data, count(own), type_of(own.dtype),
                                            settings_->op(own.dtype, op), comm_, request));
    });
  }

  Work broadcast(const View& x, int root) override {
    check_whole("broadcast", x);
    return pieces("broadcast", x, [&](const View& part, MPI_Request* request) {
      TY_MPI_CALL(MPI_Ibcast(part.data, count(part), type_of(part.dtype), root, comm_, request));
    });
  }

  Work send(const View& x, int peer, int tag) override {
    check_whole("send", x);
    return pieces("send", x, [&](const View& part, MPI_Request* request) {
      TY_MPI_CALL(
          MPI_Isend(part.data, count(part), type_of(part.dtype), peer, tag, comm_, request));
    });
  }

  Work receive(const View& x, int peer, int tag) override {
    check_whole("receive", x);
    return pieces("receive", x, [&](const View& part, MPI_Request* request) {
      TY_MPI_CALL(
          MPI_Irecv(part.data, count(part), type_of(part.dtype), peer, tag, comm_, request));
    });
  }

  void barrier() override {
    MPI_Request request;
    TY_MPI_CALL(MPI_Ibarrier(comm_, &request));
    Requests({request}, "barrier", settings_->timeout_seconds).wait();
  }

  std::shared_ptr<Communicator> split(int color, int key) override {
    MPI_Comm child;
    TY_MPI_CALL(MPI_Comm_split(comm_, color, key, &child));
    return std::make_shared<MpiCommunicator>(child, settings_);
  }

 private:
  static int count(const View& x) { return static_cast<int>(x.numel()); }
  static void check_small(const char* call, const View& own) {
    if (own.numel() > kMaxCount) {
      throw CommError("{}: {} elements per rank are more than {}; use smaller buckets", call,
                      own.numel(), kMaxCount);
    }
  }

  template <typename Start>
  Work one(const char* call, const View& x, Start start) const {
    MPI_Request request;
    start(&request);
    return finish(call, x, {request});
  }
  template <typename Start>
  Work pieces(const char* call, const View& x, Start start) const {
    const View flat = contiguous_view(x.data, x.dtype, {x.numel()});
    std::vector<MPI_Request> requests;
    for (std::int64_t first = 0; first < flat.numel(); first += kMaxCount) {
      requests.emplace_back();
      start(flat.slice(0, first, std::min(kMaxCount, flat.numel() - first)), &requests.back());
    }
    return finish(call, x, std::move(requests));
  }
  Work finish(const char* call, const View& x, std::vector<MPI_Request> requests) const {
    return Work(std::make_unique<Requests>(
        std::move(requests),
        fmt::format("{} of {} x {} among {} ranks", call, x.numel(), name_of(x.dtype), size_),
        settings_->timeout_seconds));
  }

  MPI_Comm comm_;
  std::shared_ptr<const Settings> settings_;
  int rank_ = 0;
  int size_ = 1;
};

}  // namespace

bool launched_by_mpi() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK"}) {
    if (std::getenv(name) != nullptr) return true;
  }
  return false;
}

MpiSession::MpiSession(double timeout_seconds) {
  int provided = 0;
  TY_MPI_CALL(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided));
  world_ = std::make_shared<MpiCommunicator>(
      MPI_COMM_WORLD, std::make_shared<Settings>(Settings{timeout_seconds, HalfOps()}));
  MPI_Comm node;
  TY_MPI_CALL(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node));
  TY_MPI_CALL(MPI_Comm_size(node, &local_size_));
  TY_MPI_CALL(MPI_Comm_rank(node, &local_rank_));
  MPI_Comm_free(&node);
}

MpiSession::~MpiSession() {
  world_.reset();
  MPI_Finalize();
}

Group MpiSession::world() const { return Group(world_); }

void abort_mpi_job(int code) {
  MPI_Abort(MPI_COMM_WORLD, code);
  std::_Exit(code);
}

}  // namespace ty
