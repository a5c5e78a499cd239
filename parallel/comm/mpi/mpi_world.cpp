#include "parallel/comm/mpi/mpi_world.h"

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <map>
#include <vector>

#include "core/base/error.h"
#include "parallel/comm/mpi/requests.h"
#include "parallel/comm/self/self.h"

namespace ty {

namespace {

template <DType dtype, ReduceOp op>
void combine_spans(void* in, void* inout, int* count, MPI_Datatype*) {
  combine(op, contiguous_view(inout, dtype, {*count}), contiguous_view(in, dtype, {*count}));
}

// MPI's own operations do not know 16-bit floats, and their max and min lose NaN or keep it by the
// order of operands; those are ours. Made once per process.
class Operations {
 public:
  Operations() {
    create<DType::f32, ReduceOp::max>();
    create<DType::f32, ReduceOp::min>();
    create<DType::f64, ReduceOp::max>();
    create<DType::f64, ReduceOp::min>();
    create<DType::bf16, ReduceOp::sum>();
    create<DType::bf16, ReduceOp::max>();
    create<DType::bf16, ReduceOp::min>();
    create<DType::f16, ReduceOp::sum>();
    create<DType::f16, ReduceOp::max>();
    create<DType::f16, ReduceOp::min>();
  }
  MPI_Op get(DType dtype, ReduceOp op) const {
    const auto own = own_.find({dtype, op});
    if (own != own_.end()) return own->second;
    return op == ReduceOp::sum ? MPI_SUM : op == ReduceOp::max ? MPI_MAX : MPI_MIN;
  }

 private:
  template <DType dtype, ReduceOp op>
  void create() {
    TY_MPI_CALL(MPI_Op_create(combine_spans<dtype, op>, /*commute=*/1, &own_[{dtype, op}]));
  }
  std::map<std::pair<DType, ReduceOp>, MPI_Op> own_;
};

// What all communicators of a session share.
struct Session {
  explicit Session(const MpiOptions& options)
      : patience(options.patience_seconds),
        max_elements(options.max_elements),
        alarm(std::make_shared<Alarm>(MPI_COMM_WORLD)) {}
  double patience;  // seconds
  const std::int64_t max_elements;
  const Operations operations;
  const std::shared_ptr<Alarm> alarm;
};

class MpiCommunicator final : public Communicator {
 public:
  MpiCommunicator(MPI_Comm comm, std::shared_ptr<Session> session)
      : Communicator(rank_in(comm), size_in(comm)), comm_(comm), session_(std::move(session)) {
    TY_MPI_CALL(MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN));
  }
  ~MpiCommunicator() override {
    int finalized = 0;  // a group may outlive the session
    MPI_Finalized(&finalized);
    if (finalized == 0 && comm_ != MPI_COMM_WORLD) MPI_Comm_free(&comm_);
  }

  void set_patience(double seconds) override { session_->patience = seconds; }
  std::shared_ptr<Watch> watch() override { return session_->alarm; }

 private:
  Work do_all_reduce(const View& x, ReduceOp op) override {
    return work(
        what("all_reduce", x), pieces(x, [&](const View& part, MPI_Request* request) {
          TY_MPI_CALL(MPI_Iallreduce(MPI_IN_PLACE, part.data, length(part), mpi_type_of(part.dtype),
                                     operation(part, op), comm_, request));
        }));
  }

  Work do_all_gather(const View& all, const View& own) override {
    const std::size_t offset = own.bytes() * static_cast<std::size_t>(rank());
    const bool in_place = own.data == all.as<std::byte>() + offset;
    const std::byte* begin = own.as<std::byte>();
    return work(
        what("all_gather", own), pieces(own, [&](const View& part, MPI_Request* request) {
          const void* source = in_place ? MPI_IN_PLACE : part.data;
          std::byte* target = all.as<std::byte>() + (part.as<std::byte>() - begin);
          if (part.numel() == own.numel()) {
            TY_MPI_CALL(MPI_Iallgather(source, length(part), mpi_type_of(part.dtype), target,
                                       length(part), mpi_type_of(part.dtype), comm_, request));
            return;
          }
          // The parts of one piece lie as far apart as whole shards.
          MPI_Datatype piece, spread;
          TY_MPI_CALL(MPI_Type_contiguous(length(part), mpi_type_of(part.dtype), &piece));
          TY_MPI_CALL(
              MPI_Type_create_resized(piece, 0, static_cast<MPI_Aint>(own.bytes()), &spread));
          TY_MPI_CALL(MPI_Type_commit(&spread));
          TY_MPI_CALL(MPI_Iallgather(source, length(part), mpi_type_of(part.dtype), target, 1,
                                     spread, comm_, request));
          TY_MPI_CALL(MPI_Type_free(&spread));  // MPI keeps it while it is in use
          TY_MPI_CALL(MPI_Type_free(&piece));
        }));
  }

  Work do_reduce_scatter(const View& own, const View& all, ReduceOp op) override {
    if (own.numel() <= session_->max_elements) {
      MPI_Request request;
      TY_MPI_CALL(MPI_Ireduce_scatter_block(all.data, own.data, length(own), mpi_type_of(own.dtype),
                                            operation(own, op), comm_, &request));
      return work(what("reduce_scatter", all), {request});
    }
    std::vector<MPI_Request> requests;
    for (int root = 0; root < size(); ++root) {
      const std::byte* shard = all.as<std::byte>() + own.bytes() * static_cast<std::size_t>(root);
      const auto more = pieces(own, [&](const View& part, MPI_Request* request) {
        const auto* source = shard + (part.as<std::byte>() - own.as<std::byte>());
        TY_MPI_CALL(MPI_Ireduce(source, part.data, length(part), mpi_type_of(part.dtype),
                                operation(part, op), root, comm_, request));
      });
      requests.insert(requests.end(), more.begin(), more.end());
    }
    return work(what("reduce_scatter", all), std::move(requests));
  }

  Work do_broadcast(const View& x, int root) override {
    return work(what("broadcast", x), pieces(x, [&](const View& part, MPI_Request* request) {
                  TY_MPI_CALL(MPI_Ibcast(part.data, length(part), mpi_type_of(part.dtype), root,
                                         comm_, request));
                }));
  }

  Work do_send(const View& x, int peer, int tag) override {
    return work(what("send", x, peer), pieces(x, [&](const View& part, MPI_Request* request) {
                  TY_MPI_CALL(MPI_Isend(part.data, length(part), mpi_type_of(part.dtype), peer, tag,
                                        comm_, request));
                }));
  }

  Work do_receive(const View& x, int peer, int tag) override {
    std::vector<int> counts;
    auto requests = pieces(x, [&](const View& part, MPI_Request* request) {
      counts.push_back(length(part));
      TY_MPI_CALL(
          MPI_Irecv(part.data, length(part), mpi_type_of(part.dtype), peer, tag, comm_, request));
    });
    auto state =
        std::make_unique<Requests>(what("receive", x, peer), std::move(requests), session_->alarm);
    state->expect_counts(std::move(counts));
    return {std::move(state), session_->patience};
  }

  void do_barrier() override {
    MPI_Request request;
    TY_MPI_CALL(MPI_Ibarrier(comm_, &request));
    work({"barrier", -1, DType::f32, size()}, {request}).wait();
  }

  std::shared_ptr<Communicator> do_split(int color, int key) override {
    MPI_Comm child;
    TY_MPI_CALL(MPI_Comm_split(comm_, color < 0 ? MPI_UNDEFINED : color, key, &child));
    if (child == MPI_COMM_NULL) return std::make_shared<SelfCommunicator>();
    auto result = std::make_shared<MpiCommunicator>(child, session_);
    if (result->size() == 1) return std::make_shared<SelfCommunicator>();  // at no cost
    return result;
  }

  static int rank_in(MPI_Comm comm) {
    int rank = 0;
    TY_MPI_CALL(MPI_Comm_rank(comm, &rank));
    return rank;
  }
  static int size_in(MPI_Comm comm) {
    int size = 0;
    TY_MPI_CALL(MPI_Comm_size(comm, &size));
    return size;
  }
  static int length(const View& x) { return static_cast<int>(x.numel()); }
  MPI_Op operation(const View& x, ReduceOp op) const {
    return session_->operations.get(x.dtype, op);
  }
  PendingCall what(const char* call, const View& x, int peer = -1) const {
    return {call, x.numel(), x.dtype, size(), peer};
  }
  Work work(const PendingCall& what, std::vector<MPI_Request> requests) const {
    return {std::make_unique<Requests>(what, std::move(requests), session_->alarm),
            session_->patience};
  }

  // Starts one request for each piece of x; one empty piece if x is empty, so that messages match.
  template <typename Start>
  std::vector<MPI_Request> pieces(const View& x, Start start) const {
    const View flat = contiguous_view(x.data, x.dtype, {x.numel()});
    const std::int64_t most = session_->max_elements;
    std::vector<MPI_Request> requests;
    std::int64_t first = 0;
    do {
      requests.emplace_back();
      start(flat.slice(0, first, std::min(most, flat.numel() - first)), &requests.back());
      first += most;
    } while (first < flat.numel());
    return requests;
  }

  MPI_Comm comm_;
  std::shared_ptr<Session> session_;
};

}  // namespace

bool launched_by_mpi() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK"}) {
    if (std::getenv(name) != nullptr) return true;
  }
  return false;
}

int ranks_of_launcher() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"}) {
    if (const char* text = std::getenv(name); text != nullptr) return std::atoi(text);
  }
  return 1;
}

MpiSession::MpiSession(MpiOptions options) : exceptions_(std::uncaught_exceptions()) {
  int provided = 0;
  TY_MPI_CALL(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided));
  if (provided < MPI_THREAD_FUNNELED) {
    throw CommError(
        "MPI_Init_thread: this MPI serves no process that has threads (level {}, want {})",
        provided, MPI_THREAD_FUNNELED);
  }
  world_ = std::make_shared<MpiCommunicator>(MPI_COMM_WORLD, std::make_shared<Session>(options));
  MPI_Comm node;
  TY_MPI_CALL(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node));
  TY_MPI_CALL(MPI_Comm_size(node, &local_size_));
  TY_MPI_CALL(MPI_Comm_rank(node, &local_rank_));
  MPI_Comm_free(&node);
}

MpiSession::~MpiSession() {
  if (std::uncaught_exceptions() > exceptions_) {
    // Never freed: a verdict of the roll call may still be on its way to the others.
    static_cast<void>(new std::shared_ptr<Communicator>(std::move(world_)));
    return;
  }
  world_.reset();
  MPI_Finalize();
}

Group MpiSession::world() const { return Group(world_); }

std::string mpi_library() {
  char text[MPI_MAX_LIBRARY_VERSION_STRING];
  int length = 0;
  TY_MPI_CALL(MPI_Get_library_version(text, &length));  // allowed before MPI_Init
  const std::string name(text, static_cast<std::size_t>(length));
  return name.substr(0, name.find_first_of(",\n"));
}

void abort_mpi_job(int code) {
  MPI_Abort(MPI_COMM_WORLD, code);
  std::_Exit(code);
}

}  // namespace ty
