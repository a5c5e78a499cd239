// What the program and the module libtrainyard_cuda.so agree on. The module is built with the
// program but opened only when a device is asked for: its libraries take a fifth of a second and
// 200 MB to load, and machines without them run everything else.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ty {

class Backend;

namespace cuda {

// Changes with anything below, and with the virtual functions of Backend and DeviceQueue.
inline constexpr std::uint32_t kModuleVersion = 4;
inline constexpr const char* kModuleFile = "libtrainyard_cuda.so";
inline constexpr const char* kModuleEntry = "trainyard_cuda_module";

inline constexpr std::size_t kTextBytes = 256;

// What the module finds on this machine. Versions as the libraries give them; 0: not there.
struct ModuleReport {
  char problem[kTextBytes];  // why no device can be used; empty: one can
  char device[kTextBytes];   // name of the first one
  std::int32_t devices;
  std::int32_t driver;      // newest CUDA version that the driver knows: 13000 is 13.0
  std::int32_t toolkit;     // of the CUDA runtime: 13000 is 13.0
  std::int32_t cublas;      // 130100 is 13.1.0
  std::int32_t cudnn;       // 91900 is 9.19.0
  std::int32_t nccl;        // 22809 is 2.28.9
  std::int32_t capability;  // of the device: 90 is 9.0
  std::int32_t multiprocessors;
  std::int64_t memory_bytes;
};

struct ModuleOptions {
  std::int32_t device;
  bool tf32;
  bool repeatable;
  bool graphs;
};

struct ModuleTable {
  std::uint32_t version;  // kModuleVersion
  std::uint32_t size;     // sizeof(ModuleTable)
  void (*report)(ModuleReport* report);
  // The caller deletes it. nullptr with a text in `problem` if there is no such device.
  Backend* (*make_backend)(const ModuleOptions* options, char* problem);
};

using ModuleEntry = const ModuleTable* (*)();

}  // namespace cuda
}  // namespace ty
