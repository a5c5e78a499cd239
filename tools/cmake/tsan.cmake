# Initial cache: data races between threads. Without MPI, whose own threads are not instrumented; the
# communicator of threads runs the same cases.
#   cmake -C tools/cmake/tsan.cmake -S . -B build-tsan -G Ninja
set(TY_SANITIZE thread CACHE STRING "")
set(TY_MPI OFF CACHE BOOL "")
set(TY_CUDA OFF CACHE STRING "") # its libraries are not instrumented; kernels run emulated
set(TY_BUILD_TESTS ON CACHE BOOL "")
set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O1" CACHE STRING "")
set(CMAKE_DISABLE_PRECOMPILE_HEADERS ON CACHE BOOL "") # each file includes what it uses
