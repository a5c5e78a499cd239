# Libraries from the distribution; versions are those of Debian 12 and newer.

find_package(Threads REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(fmt REQUIRED)
find_package(hwy REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(Protobuf REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
find_path(TY_RANDOM123 Random123/philox.h REQUIRED)
# The OpenMP flavour by name: the default alternative may bring a second thread pool of its own.
find_library(TY_OPENBLAS NAMES openblas PATH_SUFFIXES openblas-openmp REQUIRED)
find_path(TY_OPENBLAS_INCLUDE cblas.h PATH_SUFFIXES x86_64-linux-gnu/openblas-openmp
                                                    openblas-openmp openblas REQUIRED)
# By path: its own CMake package insists on an OpenCL development package.
find_library(TY_DNNL NAMES dnnl REQUIRED)
find_path(TY_DNNL_INCLUDE oneapi/dnnl/dnnl.h REQUIRED)
if(TY_MPI)
  find_package(MPI REQUIRED COMPONENTS CXX)
endif()

# Attention by cuDNN, and ranks with a card each: where their headers and the CUDA runtime's are found.
# Nothing of them is linked into the program.
if(NOT TY_CUDA STREQUAL "OFF")
  find_package(CUDAToolkit QUIET)
  find_package(CUDNN 9.8 QUIET)
  if(NOT TY_NCCL STREQUAL "OFF")
    find_package(NCCL 2.18 QUIET)
  endif()
endif()
if(NOT TARGET CUDA::cudart)
  set(CUDNN_FOUND FALSE)
  set(NCCL_FOUND FALSE)
endif()
if(TY_NCCL STREQUAL "ON" AND NOT NCCL_FOUND)
  message(FATAL_ERROR "TY_NCCL=ON: no NCCL 2.18 or newer with a CUDA runtime; see tools/cmake/FindNCCL.cmake")
endif()
