#include "launch/run/device.h"

#include "core/backend/cuda/cuda.h"
#include "core/base/error.h"

namespace ty {

namespace {

// Without a driver there is nothing that the module could find, and opening it takes time.
bool can_use_cuda() { return has_cuda_driver() && cuda_status().problem.empty(); }

bool takes_cuda(DeviceChoice device) {
  if (device == DeviceChoice::automatic) return can_use_cuda();
  return device == DeviceChoice::cuda;
}

}  // namespace

void check_device(DeviceChoice device) {
  if (device != DeviceChoice::cuda) return;
  const CudaStatus status = cuda_status();
  if (status.problem.empty()) return;
  if (status.module.empty()) {
    throw ConfigError(Key{"run.device"}, "cuda is not part of this build; use cpu or auto");
  }
  throw ConfigError(Key{"run.device"}, "cuda: {}; use cpu or auto", status.problem);
}

namespace {

std::unique_ptr<Backend> make_backend(DeviceChoice device, Reduction reduction,
                                      const MachinePlace& place, bool repeatable, bool graphs) {
  check_device(device);
  const bool is_canonical = reduction == Reduction::canonical;
  if (takes_cuda(device)) {
    return make_cuda_backend({.device = card_of(place, cuda_status().devices),
                              .repeatable = repeatable || is_canonical,
                              .graphs = graphs});
  }
  return make_cpu_backend(is_canonical ? Products::fixed : Products::fastest);
}

}  // namespace

std::unique_ptr<Backend> make_backend(DeviceChoice device, Reduction reduction,
                                      const MachinePlace& place) {
  return make_backend(device, reduction, place, true, false);
}

std::unique_ptr<Backend> make_backend(const JobConfig& job, const MachinePlace& place) {
  return make_backend(job.run.device, job.parallel.reduction, place, job.run.deterministic,
                      job.run.cuda_graphs);
}

int card_of(const MachinePlace& place, int cards) { return cards > 0 ? place.rank % cards : 0; }

std::string device_note(DeviceChoice device) {
  if (device != DeviceChoice::automatic) return {};
  const bool has_driver = has_cuda_driver(), has_module = !cuda_module().empty();
  if (has_driver && has_module) return cuda_status().problem;
  if (has_module) return "no driver (libcuda.so.1)";
  return has_driver ? "CUDA is not part of this build" : "";
}

std::string sharing_note(const MachinePlace& place, int cards) {
  if (place.ranks <= cards) return {};
  return fmt::format("{} ranks share {} card{} of this machine, so all send by way of the host",
                     place.ranks, cards, cards == 1 ? "" : "s");
}

std::string sharing_note(const Backend& backend, const MachinePlace& place) {
  return backend.has_host_memory() ? "" : sharing_note(place, cuda_status().devices);
}

}  // namespace ty
