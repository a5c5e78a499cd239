// The backend of NVIDIA GPUs: own kernels for everything but matrix products, which a library does.
//
// Everything runs on one stream, in the order of the calls; only read(), synchronize() and what
// start_read() has begun make the host wait. One object per device and rank; not for several
// threads at once.
#pragma once

#include <memory>

#include "core/backend/backend.h"
#include "core/backend/cuda/blas/library.h"
#include "core/backend/cuda/device/fused_attention.h"
#include "core/backend/cuda/device/launcher.h"
#include "core/backend/cuda/kernel/fault.h"
#include "core/backend/cuda/runtime/device_allocator.h"
#include "core/backend/cuda/runtime/host_wait.h"
#include "core/backend/cuda/runtime/late_reads.h"
#include "core/backend/cuda/runtime/staging.h"
#include "core/backend/device_queue.h"
#include "core/backend/scratch.h"

namespace ty::cuda {

struct DeviceOptions {
  int device = 0;
  bool tf32 = false;        // products of fp32 may round operands to 10 bits
  bool repeatable = true;   // of two ways to the same sums, the one whose order is fixed
  bool graphs = false;      // forward and backward are handed over as graphs
  int multiprocessors = 0;  // 0: as many as there are
};

class CudaBackend final : public Backend, public DeviceQueue {
 public:
  // Throws DeviceError if there is no such device.
  explicit CudaBackend(const DeviceOptions& options);
  ~CudaBackend() override;

  std::string_view name() const override { return "cuda"; }
  Allocator& memory() override { return memory_; }
  bool has_host_memory() const override { return false; }
  // Throws ShapeError for an id or length that a kernel found out of range.
  void synchronize() override;

#include "core/backend/overrides.inc"
  void gemm_bias(const View& c, const View& a, const View& b, const View& bias) override;

  void* stream() override { return stream_.submit(); }
  void begin_graph(std::string_view kind) override { stream_.begin(kind); }
  void end_graph() noexcept override { stream_.end(); }
  int device() const override { return device_; }
  std::string card() const override;
  void observe_waits(WaitObserver* observer) override { wait_.observe(observer); }
  std::unique_ptr<HostCopy> start_read(const View& x) override;
  void clip_factor(const View& factor, const View& squares, const View& loss, double limit,
                   double scale) override;
  void scale_updates(const View& factor) override { factor_ = factor; }
  // How often the host has waited for the device so far.
  std::int64_t host_waits() const { return wait_.count(); }
  const runtime::GraphStream& work() const { return stream_; }

 private:
  // y = f(elements of a and b), with operands that are not there as null (kernel/map.h).
  template <typename F, typename Y, typename A, typename B>
  void map(const char* what, const F& f, const View& y, const View* a, const View* b);
  // The same where f looks at the numbers of elements: packs do not reach beyond rows of `width`.
  template <typename F, typename Y, typename A>
  void map_in_order(const char* what, const F& f, const View& y, const View* a, std::int64_t width);
  bool copy_in_tiles(const View& y, const View& x);
  // y = beta y + sums over the chunks of partial [chunks, outputs].
  void add_chunks(const View& y, const void* partial, DType wide, std::int64_t chunks, double beta);
  // x itself, or a contiguous copy of it in `memory`, as a product can read it.
  View as_matrix(const View& x, std::unique_ptr<ScratchView>& memory);
  // c = a b for any strides of a matrix, c of a's type or a wider one.
  void multiply(const View& c, const View& a, const View& b, GemmScale scale);
  // gemm_bias() as one product; false, and nothing done, where it is not.
  bool multiply_biased(const View& c, const View& a, const View& b, const View& bias);
  // k or v with zeros behind each entry's length, if there are lengths.
  View without_tail(const View& x, const AttentionOptions& options, std::int64_t first,
                    std::int64_t entries, std::unique_ptr<ScratchView>& memory);
  void note_lengths(const View& k, const AttentionOptions& options);
  // Copies what kernels have noted to the host, after all that was issued before; to be waited for.
  void fetch_fault();
  // Throws what was noted, if anything was.
  void check_fault();

  int device_;
  runtime::GraphStream stream_;
  runtime::DeviceAllocator memory_;
  Launcher launch_;
  runtime::HostWait wait_;
  runtime::Staging staging_;
  runtime::LateReads late_reads_;
  runtime::Event settled_ = nullptr;
  kernel::Fault* fault_ = nullptr;       // of the device
  kernel::Fault* fault_seen_ = nullptr;  // page-locked, on the host
  std::unique_ptr<blas::Library> library_;
  std::unique_ptr<FusedAttention> fused_;
  View factor_;  // of updates; no data: none
};

}  // namespace ty::cuda
