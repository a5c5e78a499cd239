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
