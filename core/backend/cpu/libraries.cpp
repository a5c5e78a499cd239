#include "core/backend/libraries.h"

#include <cblas.h>
#include <hwy/targets.h>

namespace ty {

namespace {

// Of the instruction sets that the loops were compiled for, Highway takes the best that runs here;
// its bits are ordered from best to least.
std::string simd_target() {
  const auto runnable = hwy::SupportedTargets() & HWY_TARGETS;
  return hwy::TargetName(runnable & -runnable);
}

std::string compiler_name() {
#if defined(__clang__)
  return "Clang " __clang_version__;
#else
  return "GCC " __VERSION__;
#endif
}

BlasThreads blas_threads() {
  switch (openblas_get_parallel()) {
    case OPENBLAS_THREAD:
      return BlasThreads::pthreads;
    case OPENBLAS_OPENMP:
      return BlasThreads::openmp;
    default:
      return BlasThreads::none;
  }
}

}  // namespace

CpuLibraries cpu_libraries() {
  return {.blas = openblas_get_config(),
          .blas_core = openblas_get_corename(),
          .blas_threads = blas_threads(),
          .simd = simd_target(),
          .compiler = compiler_name()};
}

}  // namespace ty
