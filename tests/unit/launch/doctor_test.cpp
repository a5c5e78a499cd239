// The doctor on machines that are not here.
#include <gtest/gtest.h>

#include <algorithm>

#include "launch/doctor/judge.h"
#include "launch/doctor/parse.h"

namespace ty::test {
namespace {

constexpr std::int64_t kGiB = std::int64_t{1} << 30;

MachineFacts healthy() {
  MachineFacts m;
  m.version = "1.0";
  m.libraries = {.blas = "OpenBLAS 0.3.21",
                 .blas_core = "Haswell",
                 .blas_threads = BlasThreads::openmp,
                 .simd = "AVX2",
                 .compiler = "GCC 12"};
  m.loaded = {"/lib/libgomp.so.1", "/lib/openblas-openmp/libopenblas.so.0"};
  m.mpi = "Open MPI v4.1.4";
  m.mpirun = "/usr/bin/mpirun";
  m.cpu = "CPU";
  m.avx2 = true;
  m.cores = m.affinity = 8;
  m.memory_bytes = 16 * kGiB;
  m.available_bytes = 12 * kGiB;
  m.huge_pages = "madvise";
  m.directory = "/home";
  m.disk_free_bytes = m.shm_free_bytes = 8 * kGiB;
  return m;
}

Check check_of(const MachineFacts& facts, const std::string& name) {
  const std::vector<Check> checks = judge(facts);
  const auto found = std::find_if(checks.begin(), checks.end(),
                                  [&](const Check& check) { return check.name == name; });
  EXPECT_NE(found, checks.end()) << name;
  return found == checks.end() ? Check{} : *found;
}

// Exactly this check complains about the changed machine, and offers a fix.
template <typename Change>
void expect_warning(const std::string& name, Change change) {
  MachineFacts facts = healthy();
  change(facts);
  for (const Check& check : judge(facts)) {
    EXPECT_EQ(check.verdict, check.name == name ? Verdict::warn : Verdict::ok) << check.name;
    EXPECT_EQ(check.fix.empty(), check.verdict == Verdict::ok) << check.name;
  }
}

TEST(Doctor, FindsNothingOnAHealthyMachine) {
  for (const Check& check : judge(healthy())) EXPECT_EQ(check.verdict, Verdict::ok) << check.name;
}

TEST(Doctor, WarnsOfOneProblemAtATime) {
  expect_warning("mpirun", [](auto& m) { m.mpirun = ""; });
  expect_warning("MPI", [](auto& m) { m.mpi = ""; });
  expect_warning("user", [](auto& m) { m.root = true; });
  expect_warning("OpenMP threads", [](auto& m) { m.omp_num_threads = "16"; });
  expect_warning("OpenMP threads", [](auto& m) { m.omp_num_threads = "1"; });
  expect_warning("OpenMP threads", [](auto& m) { m.omp_num_threads = "many"; });
  expect_warning("OpenMP threads", [](auto& m) { m.quota = 1.5; });
  expect_warning("OpenBLAS", [](auto& m) { m.libraries.blas_core = "Prescott"; });
  expect_warning("thread pools", [](auto& m) { m.libraries.blas_threads = BlasThreads::pthreads; });
  expect_warning("thread pools", [](auto& m) { m.loaded.push_back("/opt/libiomp5.so"); });
  expect_warning("memory", [](auto& m) { m.available_bytes = kGiB / 2; });
  expect_warning("memory", [](auto& m) { m.memory_limit_bytes = kGiB / 2; });
  expect_warning("disk", [](auto& m) { m.disk_free_bytes = kGiB / 2; });
  expect_warning("disk", [](auto& m) { m.writable = false; });
  expect_warning("/dev/shm", [](auto& m) { m.shm_free_bytes = -1; });
  expect_warning("/dev/shm", [](auto& m) { m.shm_free_bytes = 32 << 20; });
  expect_warning("huge pages", [](auto& m) { m.huge_pages = "never"; });
  expect_warning("energy sensor", [](auto& m) { m.energy_sensor = true; });
}

TEST(Doctor, RootThatIsToldSoIsFine) {
  MachineFacts facts = healthy();
  facts.root = facts.root_may_mpirun = true;
  EXPECT_EQ(check_of(facts, "user").verdict, Verdict::ok);
}

TEST(Doctor, ThreadsAreHeldAgainstTheTimeOfTheControlGroup) {
  MachineFacts facts = healthy();
  facts.quota = 2;
  EXPECT_EQ(check_of(facts, "OpenMP threads").fix, "export OMP_NUM_THREADS=2");
  facts.omp_num_threads = "2";
  EXPECT_EQ(check_of(facts, "OpenMP threads").verdict, Verdict::ok);
}

// A machine with a card, everything there.
MachineFacts with_card() {
  MachineFacts m = healthy();
  m.gpu_driver = "NVRM 580";
  m.cuda.module = "/lib/libtrainyard_cuda.so";
  m.cuda.has_driver = true;
  m.cuda.device = "NVIDIA H200";
  m.cuda.devices = 2;
  m.cuda.driver = m.cuda.toolkit = 13000;
  m.cuda.cublas = 130100;
  m.cuda.cudnn = 91900;
  m.cuda.nccl = 22809;
  m.cuda.multiprocessors = 132;
  m.cuda.memory_bytes = 139 * kGiB;
  return m;
}

TEST(Doctor, NamesCardAndLibraries) {
  for (const Check& check : judge(with_card())) {
    EXPECT_EQ(check.verdict, Verdict::ok) << check.name;
  }
  EXPECT_EQ(check_of(with_card(), "GPU").value,
            "NVIDIA H200 x 2, 139 GiB, 132 multiprocessors, driver for CUDA 13.0");
  EXPECT_EQ(check_of(with_card(), "CUDA").value, "13.0, cuBLASLt 13.1.0");
  EXPECT_EQ(check_of(with_card(), "cuDNN").value, "9.19.0");
  EXPECT_EQ(check_of(with_card(), "NCCL").value, "2.28.9");
}

TEST(Doctor, SaysWhatACardLacks) {
  const auto expect = [](const std::string& name, const std::string& value,
                         const MachineFacts& facts) {
    const Check check = check_of(facts, name);
    EXPECT_EQ(check.verdict, Verdict::warn) << name;
    EXPECT_NE(check.value.find(value), std::string::npos) << check.value;
    EXPECT_FALSE(check.fix.empty()) << name;
  };
  MachineFacts facts = with_card();
  facts.cuda.module = "";
  expect("CUDA", "not part of this build", facts);
  facts = with_card();
  facts.cuda.problem = "no driver (libcuda.so.1)";
  facts.cuda.has_driver = false;
  expect("GPU", "no libcuda.so.1", facts);
  facts = with_card();
  facts.cuda.problem = "CUDA driver version is insufficient for CUDA runtime version";
  facts.cuda.driver = 12080;
  expect("GPU", "the driver knows CUDA 12.8, this build needs 13.0", facts);
  facts = with_card();
  facts.cuda.problem = "libcublasLt.so.13: cannot open shared object file";
  facts.cuda.toolkit = 0;
  expect("CUDA", "libcublasLt.so.13", facts);
}

TEST(Doctor, FailsWhereNoJobCanRun) {
  MachineFacts facts = healthy();
  facts.disk_free_bytes = 0;
  EXPECT_EQ(check_of(facts, "disk").verdict, Verdict::fail);
  EXPECT_EQ(check_of(facts, "disk").code, ExitCode::io);
  facts.available_bytes = 1 << 20;
  EXPECT_EQ(check_of(facts, "memory").code, ExitCode::out_of_memory);
}

TEST(DoctorParse, ReadsProcFiles) {
  const char* info = "processor\t: 0\nmodel name\t: A CPU @ 2 GHz\nflags\t\t: fpu avx2 avx512f\n";
  EXPECT_EQ(proc_value(info, "model name"), "A CPU @ 2 GHz");
  EXPECT_EQ(proc_value(info, "bogomips"), "");
  EXPECT_TRUE(has_word(proc_value(info, "flags"), "avx512f"));
  EXPECT_FALSE(has_word(proc_value(info, "flags"), "avx"));
  EXPECT_EQ(bytes_of_kilobytes(proc_value("MemTotal:       24684092 kB\n", "MemTotal")),
            24684092LL * 1024);
  EXPECT_EQ(chosen_word("always [madvise] never\n"), "madvise");
  EXPECT_EQ(chosen_word(""), "");
}

TEST(DoctorParse, ReadsControlGroups) {
  EXPECT_EQ(cores_of_cpu_max("150000 100000\n"), 1.5);
  EXPECT_EQ(cores_of_cpu_max("max 100000\n"), 0);
  EXPECT_EQ(cores_of_cpu_max("-1 100000"), 0);
  EXPECT_EQ(cores_of_cpu_max(""), 0);
  const char* groups = "4:memory:/a/b\n2:cpu,cpuacct:/c\n0::/d\n";
  EXPECT_EQ(cgroup_path(groups, "memory"), "/a/b");
  EXPECT_EQ(cgroup_path(groups, "cpu"), "/c");
  EXPECT_EQ(cgroup_path(groups, ""), "/d");
  EXPECT_EQ(cgroup_path(groups, "pids"), "");
}

TEST(DoctorParse, ListsEachSharedLibraryOnce) {
  const char* maps =
      "7f-8f r--p 0 00:01 5   /usr/lib/libgomp.so.1.0.0\n"
      "8f-9f r-xp 0 00:01 5   /usr/lib/libgomp.so.1.0.0\n"
      "9f-af r--p 0 00:01 6   /usr/bin/trainyard\n"
      "af-bf rw-p 0 00:00 0   [stack]\n";
  EXPECT_EQ(shared_libraries(maps), std::vector<std::string>{"/usr/lib/libgomp.so.1.0.0"});
}

}  // namespace
}  // namespace ty::test
