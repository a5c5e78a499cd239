#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

#include "core/base/machine.h"
#include "core/io/file.h"
#include "launch/doctor/machine_facts.h"
#include "launch/doctor/parse.h"
#ifdef TY_HAVE_MPI
#include "parallel/comm/mpi/mpi_world.h"
#endif

namespace ty {

namespace {

// Files of /proc and /sys have no size; one that cannot be read says nothing.
std::string content(const Path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string find_on_path(const std::string& program) {
  std::istringstream directories(environment("PATH"));
  for (std::string directory; std::getline(directories, directory, ':');) {
    const Path file = Path(directory) / program;
    if (access(file.c_str(), X_OK) == 0) return file.string();
  }
  return "";
}

// A file of the process's control group, or of the nearest group above that has it. Inside of a
// container the group's path may be that of the host; the mounted root is then its own.
std::string cgroup_file(const Path& mount, const std::string& path, const char* name) {
  for (Path group = Path(path).relative_path();; group = group.parent_path()) {
    const std::string text = content(mount / group / name);
    if (!text.empty() || group.empty()) return text;
  }
}

void add_limits(MachineFacts& m) {
  const Path mount = "/sys/fs/cgroup";
  const std::string groups = content("/proc/self/cgroup");
  m.quota = cores_of_cpu_max(cgroup_file(mount, cgroup_path(groups, ""), "cpu.max"));
  std::string memory = cgroup_file(mount, cgroup_path(groups, ""), "memory.max");
  if (m.quota == 0) {  // version 1 has one tree per controller
    const std::string path = cgroup_path(groups, "cpu");
    m.quota = cores_of_cpu_max(cgroup_file(mount / "cpu", path, "cpu.cfs_quota_us") + " " +
                               cgroup_file(mount / "cpu", path, "cpu.cfs_period_us"));
  }
  if (memory.empty()) {
    memory = cgroup_file(mount / "memory", cgroup_path(groups, "memory"), "memory.limit_in_bytes");
  }
  m.memory_limit_bytes = std::atoll(memory.c_str());  // "max" is 0
}

void add_cpu(MachineFacts& m) {
  const std::string info = content("/proc/cpuinfo");
  m.cpu = proc_value(info, "model name");
  const std::string flags = proc_value(info, "flags");
  m.avx2 = has_word(flags, "avx2");
  m.avx512 = has_word(flags, "avx512f");
  m.bf16 = has_word(flags, "avx512_bf16") || has_word(flags, "amx_bf16");
  m.cores = sysconf(_SC_NPROCESSORS_ONLN);
  m.affinity = usable_cores();
  m.omp_num_threads = environment("OMP_NUM_THREADS");
}

void add_memory(MachineFacts& m) {
  const std::string info = content("/proc/meminfo");
  const auto bytes = [&](const char* key) { return bytes_of_kilobytes(proc_value(info, key)); };
  m.memory_bytes = bytes("MemTotal");
  m.available_bytes = bytes("MemAvailable");
  m.swap_bytes = bytes("SwapTotal");
  m.swap_free_bytes = bytes("SwapFree");
  m.huge_pages = chosen_word(content("/sys/kernel/mm/transparent_hugepage/enabled"));
}

std::int64_t free_or_none(const char* path) {
  struct statvfs facts {};
  if (statvfs(path, &facts) != 0) return -1;
  return static_cast<std::int64_t>(facts.f_bavail * facts.f_frsize);
}

void add_sensors(MachineFacts& m) {
  std::error_code none;
  for (const auto& zone : std::filesystem::directory_iterator("/sys/class/powercap", none)) {
    const Path counter = zone.path() / "energy_uj";
    if (!std::filesystem::exists(counter, none)) continue;
    m.energy_sensor = true;
    m.energy_readable = m.energy_readable || !content(counter).empty();
  }
  const std::string driver = proc_value(content("/proc/driver/nvidia/version"), "NVRM version");
  if (!driver.empty()) {
    m.gpu_driver = driver;
  } else if (std::filesystem::exists("/dev/nvidia0", none)) {
    m.gpu_driver = "of unknown version";
  }
}

}  // namespace

MachineFacts gather_machine_facts() {
  MachineFacts m;
  m.version = TY_VERSION;
  m.libraries = cpu_libraries();
  m.loaded = shared_libraries(content("/proc/self/maps"));
#ifdef TY_HAVE_MPI
  m.mpi = mpi_library();
#endif
  m.mpirun = find_on_path("mpirun");
  m.root = geteuid() == 0;
  m.root_may_mpirun = environment("OMPI_ALLOW_RUN_AS_ROOT") == "1" &&
                      environment("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM") == "1";
  add_cpu(m);
  add_limits(m);
  add_memory(m);
  std::error_code none;
  m.directory = std::filesystem::current_path(none).string();
  m.writable = access(".", W_OK) == 0;
  m.disk_free_bytes = std::max<std::int64_t>(0, free_or_none("."));
  m.shm_free_bytes = free_or_none("/dev/shm");
  add_sensors(m);
  m.cuda = cuda_status();
  return m;
}

}  // namespace ty
