#include "core/backend/cuda/device/cuda_backend.h"

#include "core/backend/cuda/device/row_views.h"
#include "core/base/error.h"

namespace ty::cuda {

void check_rows(const View& x) {
  TY_CHECK(x.shape[1] <= 1 || x.strides[1] == 1, "columns of {} are {} apart", x.shape.str(),
           x.strides[1]);
}

namespace {

int multiprocessors(const DeviceOptions& options) {
  if (options.multiprocessors > 0) return options.multiprocessors;
  return runtime::properties(options.device).multiprocessors;
}

runtime::Stream stream_of(int device) {
  runtime::use_device(device);
  return runtime::make_stream();
}

}  // namespace

CudaBackend::CudaBackend(const DeviceOptions& options)
    : stream_(stream_of(options.device)),
      launch_(stream_, multiprocessors(options)),
      staging_(stream_) {
  fault_ =
      static_cast<kernel::Fault*>(memory_.allocate(sizeof(kernel::Fault), MemoryClass::workspace));
  runtime::set_zero(fault_, sizeof(kernel::Fault), stream_);
  library_ = std::make_unique<blas::Library>(stream_, memory_, options.tf32);
}

CudaBackend::~CudaBackend() {
  library_.reset();
  memory_.release(fault_, sizeof(kernel::Fault), MemoryClass::workspace);
  runtime::destroy_stream(stream_);
}

void CudaBackend::synchronize() {
  runtime::wait(stream_);
  check_fault();
}

void CudaBackend::check_fault() {
  kernel::Fault fault;
  staging_.read(&fault, fault_, sizeof fault);
  if (fault.claimed == 0) return;
  runtime::set_zero(fault_, sizeof fault, stream_);
  const auto bad_id = [&](const char* kernel) {
    throw ShapeError("{}: id {} at position {}, but there are {} rows; ids must be below that",
                     kernel, fault.number, fault.position, fault.limit);
  };
  switch (fault.place) {
    case kernel::Place::gather_rows:
      bad_id("gather_rows");
      break;
    case kernel::Place::scatter_add_rows:
      bad_id("scatter_add_rows");
      break;
    case kernel::Place::cross_entropy:
      bad_id("cross_entropy");
      break;
    case kernel::Place::attention:
      throw ShapeError("attention: length {} of batch entry {}, but there are {} keys",
                       fault.number, fault.position, fault.limit);
  }
}

WorkShape CudaBackend::work_shape() const { return {}; }

// Of one H200, computed from published rates, not measured: what a product costs there, and what
// moving its operands.
CostModel CudaBackend::cost_model(DType dtype) const {
  const bool narrow = size_of(dtype) == 2;
  return {.flops_per_second = narrow ? 640e12 : 50e12,
          .half_rows = 128,
          .half_columns = 128,
          .half_inner = 64,
          .bytes_per_second = 3.6e12,
          .run_seconds = 0,
          .call_seconds = 4e-6};
}

void CudaBackend::read(void* host, const View& x) {
  TY_CHECK(x.is_contiguous(), "read of {} with strides {}", x.shape.str(), x.strides.str());
  staging_.read(host, x.data, x.bytes());
  check_fault();
}

void CudaBackend::write(const View& y, const void* host) {
  TY_CHECK(y.is_contiguous(), "write to {} with strides {}", y.shape.str(), y.strides.str());
  staging_.write(y.data, host, y.bytes());
}

}  // namespace ty::cuda
