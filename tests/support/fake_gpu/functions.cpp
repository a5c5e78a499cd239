// The tables of functions of a FakeGpu, in the words of the CUDA runtime and of NCCL.
#include <fmt/format.h>

#include <cstring>

#include "core/base/error.h"
#include "tests/support/fake_gpu/fake_gpu.h"
#include "tests/support/fake_gpu/fake_nccl.h"

namespace ty::test {

namespace {

FakeStream& stream_of(cudaStream_t handle) { return *reinterpret_cast<FakeStream*>(handle); }
FakeEvent& event_of(cudaEvent_t handle) { return *reinterpret_cast<FakeEvent*>(handle); }

DType dtype_of(ncclDataType_t type) {
  switch (type) {
    case ncclFloat32:
      return DType::f32;
    case ncclFloat64:
      return DType::f64;
    case ncclBfloat16:
      return DType::bf16;
    case ncclFloat16:
      return DType::f16;
    case ncclInt32:
      return DType::i32;
    case ncclInt64:
      return DType::i64;
    default:
      throw InternalError("NCCL type {}", static_cast<int>(type));
  }
}

ReduceOp op_of(ncclRedOp_t op) {
  return op == ncclSum ? ReduceOp::sum : op == ncclMax ? ReduceOp::max : ReduceOp::min;
}

FakeMeeting call_of(FakeMeeting::Kind kind, const char* name, std::size_t count,
                    ncclDataType_t type, const std::string& how = "") {
  FakeMeeting call;
  call.kind = kind;
  call.dtype = dtype_of(type);
  call.count = static_cast<std::int64_t>(count);
  call.what = fmt::format("{}{} of {} x {}", name, how, count, name_of(call.dtype));
  return call;
}

std::string how(ReduceOp op) { return fmt::format("({})", name_of(op)); }

FakeNccl& nccl() { return FakeGpu::get().nccl(); }

NcclFunctions nccl_functions() {
  using Kind = FakeMeeting::Kind;
  NcclFunctions n;
  n.get_version = [](int* version) { return *version = NCCL_VERSION_CODE, ncclSuccess; };
  n.get_unique_id = [](ncclUniqueId* id) { return nccl().get_unique_id(id); };
  n.init_rank = [](ncclComm_t* out, int size, ncclUniqueId id, int rank, ncclConfig_t*) {
    return nccl().init_rank(out, size, id, rank);
  };
  n.split = [](ncclComm_t parent, int color, int key, ncclComm_t* out, ncclConfig_t*) {
    return nccl().split(parent, color, key, out);
  };
  n.get_async_error = [](ncclComm_t comm, ncclResult_t* state) {
    return nccl().get_async_error(comm, state);
  };
  n.abort = [](ncclComm_t comm) { return nccl().free(comm, true); };
  n.destroy = [](ncclComm_t comm) { return nccl().free(comm, false); };
  n.get_error_string = [](ncclResult_t code) {
    return code == ncclRemoteError ? "remote process exited" : "error";
  };
  n.get_last_error = [](ncclComm_t) { return "no more is known"; };
  n.all_reduce = [](const void* in, void* out, std::size_t count, ncclDataType_t type,
                    ncclRedOp_t op, ncclComm_t comm, cudaStream_t stream) {
    FakeMeeting call = call_of(Kind::all_reduce, "all_reduce", count, type, how(op_of(op)));
    call.op = op_of(op);
    return nccl().collective(comm, call, in, out, stream);
  };
  n.all_gather = [](const void* in, void* out, std::size_t count, ncclDataType_t type,
                    ncclComm_t comm, cudaStream_t stream) {
    return nccl().collective(comm, call_of(Kind::all_gather, "all_gather", count, type), in, out,
                             stream);
  };
  n.reduce_scatter = [](const void* in, void* out, std::size_t count, ncclDataType_t type,
                        ncclRedOp_t op, ncclComm_t comm, cudaStream_t stream) {
    FakeMeeting call = call_of(Kind::reduce_scatter, "reduce_scatter", count, type, how(op_of(op)));
    call.op = op_of(op);
    return nccl().collective(comm, call, in, out, stream);
  };
  n.broadcast = [](const void* in, void* out, std::size_t count, ncclDataType_t type, int root,
                   ncclComm_t comm, cudaStream_t stream) {
    FakeMeeting call =
        call_of(Kind::broadcast, "broadcast", count, type, fmt::format("(from {})", root));
    call.root = static_cast<std::size_t>(root);
    return nccl().collective(comm, call, in, out, stream);
  };
  n.send = [](const void* in, std::size_t count, ncclDataType_t type, int peer, ncclComm_t comm,
              cudaStream_t stream) {
    return nccl().message(comm, call_of(Kind::message, "message", count, type), peer, in, nullptr,
                          stream);
  };
  n.receive = [](void* out, std::size_t count, ncclDataType_t type, int peer, ncclComm_t comm,
                 cudaStream_t stream) {
    return nccl().message(comm, call_of(Kind::message, "message", count, type), peer, nullptr, out,
                          stream);
  };
  return n;
}

// An event is looked at in vain at first, as if the device were slow.
cudaError_t query(cudaEvent_t handle) {
  constexpr int kInVain = 2;
  const std::lock_guard lock(FakeGpu::get().mutex());
  FakeEvent& event = event_of(handle);
  if (++event.looks <= kInVain) return cudaErrorNotReady;
  if (!FakeGpu::get().reach(event.target)) return cudaErrorNotReady;
  FakeGpu::get().host_has_seen(event);
  return cudaSuccess;
}

CudaFunctions cuda_functions() {
  CudaFunctions c;
  c.set_device = [](int) { return cudaSuccess; };
  c.get_error_string = [](cudaError_t) { return "a fake's error"; };
  c.create_stream = [](cudaStream_t* out, unsigned, int) {
    *out = reinterpret_cast<cudaStream_t>(FakeGpu::get().new_stream());
    return cudaSuccess;
  };
  c.destroy_stream = [](cudaStream_t) { return cudaSuccess; };
  c.create_event = [](cudaEvent_t* out, unsigned) {
    *out = reinterpret_cast<cudaEvent_t>(new FakeEvent);
    return cudaSuccess;
  };
  c.destroy_event = [](cudaEvent_t event) {
    delete &event_of(event);
    return cudaSuccess;
  };
  c.record_event = [](cudaEvent_t event, cudaStream_t stream) {
    FakeGpu::get().record(event_of(event), stream_of(stream));
    return cudaSuccess;
  };
  c.query_event = query;
  c.wait_event = [](cudaStream_t stream, cudaEvent_t event, unsigned) {
    FakeGpu::get().wait(stream_of(stream), event_of(event));
    return cudaSuccess;
  };
  c.copy = [](void* to, const void* from, std::size_t bytes, cudaMemcpyKind, cudaStream_t stream) {
    FakeGpu::get().put(stream_of(stream),
                       {.name = "copy", .run = [=] { std::memcpy(to, from, bytes); }},
                       {fake_read(from, bytes), fake_write(to, bytes)});
    return cudaSuccess;
  };
  return c;
}

}  // namespace

std::shared_ptr<const GpuLibraries> FakeGpu::libraries() {
  return std::make_shared<GpuLibraries>(GpuLibraries{nccl_functions(), cuda_functions()});
}

}  // namespace ty::test
