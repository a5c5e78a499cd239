// TY_HOST_DEVICE marks functions that code of a GPU may call too, where a CUDA compiler reads them.
#pragma once

#ifdef __CUDACC__
#define TY_HOST_DEVICE __host__ __device__
#else
#define TY_HOST_DEVICE
#endif
