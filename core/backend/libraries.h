// The libraries and instruction sets that the CPU backend uses on this machine: for reports, not
// for decisions.
#pragma once

#include <cstdint>
#include <string>

namespace ty {

// Which thread pool OpenBLAS uses; two pools in one process compete for the cores.
enum class BlasThreads : std::uint8_t { none, pthreads, openmp };

struct CpuLibraries {
  std::string blas;       // version and options of OpenBLAS, as it says them
  std::string blas_core;  // the kernels it chose: Haswell, SkylakeX, ...
  BlasThreads blas_threads = BlasThreads::none;
  std::string simd;      // instruction set of our own loops: AVX2, AVX3, ...
  std::string compiler;  // that built them
};

CpuLibraries cpu_libraries();

}  // namespace ty
