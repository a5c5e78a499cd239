# NCCL: NCCL_FOUND, NCCL_VERSION and the target NCCL::nccl; layouts and NCCL_ROOT as in FindCUDNN.
include(${CMAKE_CURRENT_LIST_DIR}/ty_find_nvidia.cmake)
ty_find_nvidia(
  NCCL nccl
  HEADER nccl.h
  LIBRARY libnccl.so libnccl.so.2
  VERSION_HEADER nccl.h
  VERSION_MACROS NCCL_MAJOR NCCL_MINOR NCCL_PATCH)
