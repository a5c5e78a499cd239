# Initial cache: addresses, leaks and undefined behaviour, with all tests.
#   cmake -C tools/cmake/asan.cmake -S . -B build-asan -G Ninja
set(TY_SANITIZE address,undefined CACHE STRING "")
set(TY_CUDA OFF CACHE STRING "") # its libraries are not instrumented; kernels run emulated
set(TY_BUILD_TESTS ON CACHE BOOL "")
set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O1" CACHE STRING "")
set(TY_UNITY OFF CACHE BOOL "")
set(CMAKE_DISABLE_PRECOMPILE_HEADERS ON CACHE BOOL "") # each file includes what it uses
