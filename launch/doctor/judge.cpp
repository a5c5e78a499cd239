#include "launch/doctor/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "launch/doctor/judge_gpu.h"
#include "launch/report/text.h"

namespace ty {

namespace {

constexpr std::int64_t kMiB = std::int64_t{1} << 20;
constexpr std::int64_t kGiB = std::int64_t{1} << 30;

Check fail(std::string name, std::string value, std::string fix, ExitCode code) {
  return {std::move(name), Verdict::fail, std::move(value), std::move(fix), code};
}

std::string size(std::int64_t bytes) { return human_bytes(static_cast<double>(bytes)); }

// Cores' worth of time that one process can have.
std::int64_t usable_cores(const MachineFacts& m) {
  const auto quota = static_cast<std::int64_t>(std::ceil(m.quota));
  return m.quota > 0 ? std::clamp<std::int64_t>(quota, 1, m.affinity) : m.affinity;
}

Check check_blas(const MachineFacts& m) {
  const std::string value = fmt::format("{}, kernels {}", m.libraries.blas, m.libraries.blas_core);
  // What OpenBLAS falls back to on processors that are newer than it.
  static const std::set<std::string> kOld = {"Prescott", "Core2", "Penryn", "Nehalem", "Generic"};
  if (m.avx2 && kOld.contains(m.libraries.blas_core)) {
    return warn("OpenBLAS", value + ", which do without this CPU's AVX2",
                "export OPENBLAS_CORETYPE=Haswell");
  }
  return ok("OpenBLAS", value);
}

std::vector<std::string> loaded_named(const MachineFacts& m, std::string_view name) {
  std::vector<std::string> found;
  for (const std::string& path : m.loaded) {
    if (path.substr(path.rfind('/') + 1).starts_with(name)) found.push_back(path);
  }
  return found;
}

// Two pools of threads in one process take the cores from each other.
Check check_threads_of_libraries(const MachineFacts& m) {
  const char* name = "thread pools";
  std::vector<std::string> runtimes;
  for (const char* runtime : {"libgomp", "libiomp", "libomp."}) {
    for (std::string& path : loaded_named(m, runtime)) runtimes.push_back(std::move(path));
  }
  const std::vector<std::string> blas = loaded_named(m, "libopenblas");
  const std::string value = fmt::format("{}", fmt::join(runtimes, " "));
  if (m.libraries.blas_threads == BlasThreads::pthreads) {
    return warn(name, "OpenBLAS runs threads of its own beside OpenMP's",
                "sudo apt-get install libopenblas0-openmp && sudo update-alternatives --config "
                "libopenblas.so.0-$(uname -m)-linux-gnu");
  }
  if (runtimes.size() > 1 || blas.size() > 1) {
    const auto& twice = runtimes.size() > 1 ? runtimes : blas;
    return warn(name, fmt::format("two libraries do the same: {}", fmt::join(twice, " ")),
                "env -u LD_PRELOAD -u LD_LIBRARY_PATH trainyard doctor");
  }
  if (m.libraries.blas_threads == BlasThreads::none) {
    return warn(name, "OpenBLAS was built without threads; products use one core",
                "sudo apt-get install libopenblas0-openmp");
  }
  return ok(name, "one, OpenMP's" + (value.empty() ? "" : ": " + value));
}

Check check_mpi(const MachineFacts& m) {
  if (m.mpi.empty()) {
    return warn("MPI", "not part of this build; jobs run on one rank", "tools/build -DTY_MPI=ON");
  }
  return ok("MPI", m.mpi);
}

Check check_mpirun(const MachineFacts& m) {
  if (!m.mpirun.empty()) return ok("mpirun", m.mpirun);
  return warn("mpirun", "not on PATH; jobs run on one rank", "sudo apt-get install openmpi-bin");
}

Check check_root(const MachineFacts& m) {
  if (!m.root) return ok("user", "not root");
  if (m.root_may_mpirun) return ok("user", "root, and Open MPI is told that this is meant");
  return warn("user", "root: mpirun refuses to start (trainyard launch sees to it by itself)",
              "export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1");
}

Check check_cpu(const MachineFacts& m) {
  const std::string value =
      fmt::format("{}  {}{}{}  loops for {}", m.cpu.empty() ? "unknown model" : m.cpu,
                  m.avx2 ? "avx2" : "no avx2", m.avx512 ? " avx512" : "", m.bf16 ? " bf16" : "",
                  m.libraries.simd);
  return ok("CPU", value);
}

Check check_cores(const MachineFacts& m) {
  std::string value = fmt::format("{} online, {} for this process", m.cores, m.affinity);
  if (m.quota > 0) value += fmt::format(", time of {:.3g} by its control group", m.quota);
  return ok("cores", value);
}

Check check_omp(const MachineFacts& m) {
  const char* name = "OpenMP threads";
  const std::string unset = "unset OMP_NUM_THREADS";
  const std::int64_t cores = usable_cores(m);
  const std::string& text = m.omp_num_threads;
  if (text.empty() && m.quota > 0 && cores < m.affinity) {
    return warn(
        name, fmt::format("one per visible core ({}), but there is time for {}", m.affinity, cores),
        fmt::format("export OMP_NUM_THREADS={}", cores));
  }
  if (text.empty()) return ok(name, fmt::format("ranks share the {} cores evenly", cores));
  std::int64_t threads = 0;
  const char* end = text.data() + text.size();
  if (std::from_chars(text.data(), end, threads).ptr != end || threads < 1) {
    return warn(name, fmt::format("OMP_NUM_THREADS=\"{}\" is not a number of threads", text),
                unset);
  }
  const std::string value = fmt::format("OMP_NUM_THREADS={} for {} cores", threads, cores);
  if (threads > cores) return warn(name, value + ": threads wait for each other", unset);
  if (threads < cores) return warn(name, value + ": right for several ranks, slow for one", unset);
  return ok(name, value);
}

Check check_memory(const MachineFacts& m) {
  const bool limited = m.memory_limit_bytes > 0 && m.memory_limit_bytes < m.memory_bytes;
  const std::int64_t free =
      limited ? std::min(m.available_bytes, m.memory_limit_bytes) : m.available_bytes;
  std::string value =
      fmt::format("{} of {} available", size(m.available_bytes), size(m.memory_bytes));
  if (limited) value += fmt::format(", limit {} by its control group", size(m.memory_limit_bytes));
  value += m.swap_bytes == 0
               ? ", no swap"
               : fmt::format(", swap {} of {} used", size(m.swap_bytes - m.swap_free_bytes),
                             size(m.swap_bytes));
  const std::string fix = "ps -eo rss,pid,args --sort=-rss | head";
  if (free < 64 * kMiB) return fail("memory", value, fix, ExitCode::out_of_memory);
  if (free < kGiB) return warn("memory", value + "; trainyard plan JOB says what a job needs", fix);
  return ok("memory", value);
}

Check check_disk(const MachineFacts& m) {
  const std::string value = fmt::format("{} free in {}", size(m.disk_free_bytes), m.directory);
  const std::string fix = "df -h; a job writes to run.dir=/another/directory";
  if (m.disk_free_bytes < kMiB) return fail("disk", value, fix, ExitCode::io);
  if (!m.writable) return warn("disk", value + ", which is not writable", fix);
  if (m.disk_free_bytes < kGiB) return warn("disk", value + "; checkpoints are large", fix);
  return ok("disk", value);
}

Check check_shm(const MachineFacts& m) {
  const std::string fix = "sudo mount -o remount,size=1G /dev/shm; of a container: --shm-size=1g";
  if (m.shm_free_bytes < 0) return warn("/dev/shm", "missing; ranks talk through it", fix);
  const std::string value = fmt::format("{} free", size(m.shm_free_bytes));
  if (m.shm_free_bytes < 64 * kMiB) return warn("/dev/shm", value + "; ranks talk through it", fix);
  return ok("/dev/shm", value);
}

Check check_huge_pages(const MachineFacts& m) {
  if (m.huge_pages == "never") {
    return warn("huge pages", "never: large tensors cost more address translations",
                "echo always | sudo tee /sys/kernel/mm/transparent_hugepage/enabled");
  }
  return ok("huge pages", m.huge_pages.empty() ? "not stated by this kernel" : m.huge_pages);
}

Check check_energy(const MachineFacts& m) {
  if (!m.energy_sensor) return ok("energy sensor", "none here (powercap); energy is not measured");
  if (m.energy_readable) return ok("energy sensor", "readable (powercap)");
  return warn("energy sensor", "there, but not readable for this user",
              "sudo chmod a+r /sys/class/powercap/*/energy_uj");
}

}  // namespace

std::vector<Check> judge(const MachineFacts& m) {
  return {ok("trainyard", fmt::format("{}, {}", m.version, m.libraries.compiler)),
          check_cpu(m),
          check_cores(m),
          check_omp(m),
          check_blas(m),
          check_threads_of_libraries(m),
          check_mpi(m),
          check_mpirun(m),
          check_root(m),
          check_memory(m),
          check_huge_pages(m),
          check_disk(m),
          check_shm(m),
          check_energy(m),
          check_gpu(m),
          check_cuda(m),
          check_cuda_library("cuDNN", m.cuda, m.cuda.cudnn),
          check_cuda_library("NCCL", m.cuda, m.cuda.nccl)};
}

}  // namespace ty
