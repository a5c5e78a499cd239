// The way from the program to the CUDA backend: finds the module, opens it, asks it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/backend/backend.h"

namespace ty {

// What there is of CUDA on this machine and in this build.
struct CudaStatus {
  std::string problem;  // why no device can be used; empty: one can
  std::string module;   // path; empty: this build has none
  bool has_driver = false;
  std::string device;  // name of the first one
  int devices = 0;
  int driver = 0, toolkit = 0, cublas = 0, cudnn = 0, nccl = 0;  // versions; 0: not there
  int capability = 0, multiprocessors = 0;
  std::int64_t memory_bytes = 0;
};

// Path of the module; empty: this build has none. Does not open it.
std::string cuda_module();

// Opens the module; its libraries stay loaded. Throws nothing.
CudaStatus cuda_status();

// Whether a driver is installed: a quick look that loads no library of ours, since a machine
// without one need not open the module.
bool has_cuda_driver();

struct CudaOptions {
  int device = 0;          // its number in this process
  bool repeatable = true;  // equal bits in every run, also where sums that are not would be faster
  bool graphs = false;     // see GraphScope
};

// Throws ConfigError with cuda_status().problem if there is no such device. It is a DeviceQueue.
std::unique_ptr<Backend> make_cuda_backend(const CudaOptions& options = {});

}  // namespace ty
