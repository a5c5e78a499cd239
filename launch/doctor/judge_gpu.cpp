#include "launch/doctor/judge_gpu.h"

#include <fmt/format.h>

#include "launch/report/text.h"

namespace ty {

namespace {

// 13000 and 13020 are 13.0 and 13.2.
std::string cuda_version(int version) {
  return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

// 91900 is 9.19.0.
std::string three_numbers(int version) {
  return fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

bool has_card(const MachineFacts& m) { return !m.gpu_driver.empty() || m.cuda.has_driver; }

}  // namespace

Check check_gpu(const MachineFacts& m) {
  const CudaStatus& cuda = m.cuda;
  if (!has_card(m)) return ok("GPU", "no NVIDIA device; jobs run on the CPU");
  if (cuda.module.empty()) return ok("GPU", "driver " + m.gpu_driver);
  if (cuda.problem.empty()) {
    return ok("GPU", fmt::format("{}{}, {}, {} multiprocessors, driver for CUDA {}", cuda.device,
                                 cuda.devices > 1 ? fmt::format(" x {}", cuda.devices) : "",
                                 human_bytes(static_cast<double>(cuda.memory_bytes)),
                                 cuda.multiprocessors, cuda_version(cuda.driver)));
  }
  if (!cuda.has_driver) {
    return warn("GPU", "a device, but no libcuda.so.1; jobs run on the CPU",
                "install the driver's user part: sudo apt-get install libcuda1; of a container: "
                "--gpus all");
  }
  if (cuda.driver != 0 && cuda.driver < cuda.toolkit) {
    return warn("GPU",
                fmt::format("the driver knows CUDA {}, this build needs {}",
                            cuda_version(cuda.driver), cuda_version(cuda.toolkit)),
                "update the driver, or build with a toolkit that it knows");
  }
  return warn("GPU", cuda.problem, "nvidia-smi");
}

Check check_cuda(const MachineFacts& m) {
  const CudaStatus& cuda = m.cuda;
  const std::string build = "tools/install_cuda; tools/build -DTY_CUDA=ON";
  if (cuda.module.empty()) {
    const std::string value = "not part of this build";
    return has_card(m) ? warn("CUDA", value + "; jobs run on the CPU", build) : ok("CUDA", value);
  }
  if (cuda.toolkit == 0) {  // the module does not open
    return has_card(m) ? warn("CUDA", cuda.problem, build) : ok("CUDA", cuda.problem);
  }
  return ok("CUDA",
            fmt::format("{}, cuBLASLt {}{}", cuda_version(cuda.toolkit), three_numbers(cuda.cublas),
                        cuda.problem.empty() ? "" : "; " + cuda.problem));
}

Check check_cuda_library(const std::string& name, const CudaStatus& cuda, int version) {
  if (version != 0) return ok(name, three_numbers(version));
  return ok(name, cuda.toolkit == 0 ? "not looked for: no CUDA" : "not found; jobs do without");
}

}  // namespace ty
