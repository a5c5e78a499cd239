// What the doctor found out about this machine, this build and this process, not yet judged.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/backend/cuda/cuda.h"
#include "core/backend/libraries.h"

namespace ty {

struct MachineFacts {
  std::string version;
  CpuLibraries libraries;
  std::vector<std::string> loaded;  // paths of this process's shared libraries

  std::string mpi;     // name and version; empty: not part of this build
  std::string mpirun;  // its path; empty: not on PATH
  bool root = false;
  bool root_may_mpirun = false;  // both variables of Open MPI are set

  std::string cpu;  // model
  bool avx2 = false, avx512 = false, bf16 = false;
  std::int64_t cores = 1;       // online
  std::int64_t affinity = 1;    // that this process may use
  double quota = 0;             // cores' worth of time; 0: no limit
  std::string omp_num_threads;  // the variable

  std::int64_t memory_bytes = 0, available_bytes = 0;
  std::int64_t memory_limit_bytes = 0;  // of the control group; 0: none
  std::int64_t swap_bytes = 0, swap_free_bytes = 0;
  std::string huge_pages;  // always, madvise or never; empty: unknown

  std::string directory;  // the working directory
  bool writable = true;
  std::int64_t disk_free_bytes = 0;
  std::int64_t shm_free_bytes = -1;  // of /dev/shm; -1: there is none

  bool energy_sensor = false, energy_readable = false;
  std::string gpu_driver;  // of NVIDIA; empty: no device
  CudaStatus cuda;
};

MachineFacts gather_machine_facts();

}  // namespace ty
