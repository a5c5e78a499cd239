# cuDNN: CUDNN_FOUND, CUDNN_VERSION and the target CUDNN::cudnn. Toolkits have it in their own folders,
# distributions in the system's, PyPI's wheels in nvidia/cudnn with no libcudnn.so, only libcudnn.so.9.
# CUDNN_ROOT says where else to look.
include(${CMAKE_CURRENT_LIST_DIR}/ty_find_nvidia.cmake)
ty_find_nvidia(
  CUDNN cudnn
  HEADER cudnn.h
  LIBRARY libcudnn.so libcudnn.so.9
  VERSION_HEADER cudnn_version.h
  VERSION_MACROS CUDNN_MAJOR CUDNN_MINOR CUDNN_PATCHLEVEL)
