#include "core/backend/cuda/device/cuda_backend.h"

#include <unistd.h>

#include <functional>
#include <new>
#include <utility>

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

}  // namespace

CudaBackend::CudaBackend(const DeviceOptions& options)
    : device_(options.device),
      stream_(options.device, options.graphs),
      memory_(stream_),
      launch_(stream_, multiprocessors(options)),
      wait_(stream_),
      staging_(stream_, wait_),
      late_reads_(stream_, wait_),
      settled_(runtime::make_event()) {
  fault_seen_ = new (runtime::obtain_pinned(sizeof(kernel::Fault))) kernel::Fault;
  fault_ =
      static_cast<kernel::Fault*>(memory_.allocate(sizeof(kernel::Fault), MemoryClass::workspace));
  runtime::set_zero(fault_, sizeof(kernel::Fault), stream_.issue("faults"));
  library_ = std::make_unique<blas::Library>(stream_.submit(), memory_, options.tf32);
  fused_ = std::make_unique<FusedAttention>(
      cudnn::open_attention_engine(options.device, stream_.submit()), *this, launch_,
      options.repeatable);
}

// Copies may still be under way to and from memory that goes now.
CudaBackend::~CudaBackend() {
  try {
    stream_.submit_quietly();
    runtime::wait(stream_.bare());
  } catch (const Error&) {
    // of a kernel before: whoever waited for it has been told
  }
  fused_.reset();
  library_.reset();
  memory_.release(fault_, sizeof(kernel::Fault), MemoryClass::workspace);
  runtime::give_back_pinned(fault_seen_);
  runtime::destroy_event(settled_);
}

// "HOST/0000:1b:00.0"
std::string CudaBackend::card() const {
  char host[256] = {};
  gethostname(host, sizeof host - 1);
  return std::string(host) + "/" + runtime::bus_id(device_);
}

void CudaBackend::synchronize() {
  fetch_fault();
  stream_.record(settled_);
  wait_.for_event(settled_);
  check_fault();
}

void CudaBackend::fetch_fault() {
  runtime::copy_to_host(fault_seen_, fault_, sizeof(kernel::Fault),
                        stream_.issue("faults to host"));
}

void CudaBackend::check_fault() {
  const kernel::Fault fault = *fault_seen_;
  if (fault.claimed == 0) return;
  runtime::set_zero(fault_, sizeof fault, stream_.issue("faults"));
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
  if (x.bytes() == 0) return synchronize();
  fetch_fault();
  staging_.read(host, x.data, x.bytes());
  check_fault();
}

void CudaBackend::write(const View& y, const void* host) {
  TY_CHECK(y.is_contiguous(), "write to {} with strides {}", y.shape.str(), y.strides.str());
  staging_.write(y.data, host, y.bytes());
}

namespace {

// Numbers, and what kernels had noted when they were there.
class CheckedCopy final : public HostCopy {
 public:
  using Check = std::function<void(const kernel::Fault&)>;
  CheckedCopy(std::unique_ptr<HostCopy> numbers, std::unique_ptr<HostCopy> fault, Check check)
      : numbers_(std::move(numbers)), fault_(std::move(fault)), check_(std::move(check)) {}
  void take(void* host) override {
    numbers_->take(host);
    kernel::Fault fault;
    fault_->take(&fault);
    check_(fault);
  }

 private:
  std::unique_ptr<HostCopy> numbers_, fault_;
  Check check_;
};

}  // namespace

std::unique_ptr<HostCopy> CudaBackend::start_read(const View& x) {
  TY_CHECK(x.is_contiguous(), "read of {} with strides {}", x.shape.str(), x.strides.str());
  auto numbers = late_reads_.start(x.data, x.bytes());
  auto fault = late_reads_.start(fault_, sizeof(kernel::Fault));
  return std::make_unique<CheckedCopy>(std::move(numbers), std::move(fault),
                                       [this](const kernel::Fault& noted) {
                                         *fault_seen_ = noted;
                                         check_fault();
                                       });
}

}  // namespace ty::cuda
