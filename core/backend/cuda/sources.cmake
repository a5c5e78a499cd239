# Sources that run on a device and, in the tests, on the emulator: kernels and the host side around them.
set(ty_cuda_kernels
    device/attention.cu
    device/copy.cu
    device/elementwise.cu
    device/embedding.cu
    device/fused_attention.cu
    device/loss.cu
    device/norm.cu
    device/optimizer.cu
    device/random.cu
    device/reduce.cu
    device/select.cu)
set(ty_cuda_host
    blas/product.cpp
    cudnn/attention_problem.cpp
    device/contract.cpp
    device/cuda_backend.cpp
    device/gemm.cpp
    runtime/device_allocator.cpp
    runtime/graph_stream.cpp
    runtime/host_wait.cpp
    runtime/late_reads.cpp
    runtime/staging.cpp)
list(TRANSFORM ty_cuda_kernels PREPEND ${CMAKE_CURRENT_LIST_DIR}/)
list(TRANSFORM ty_cuda_host PREPEND ${CMAKE_CURRENT_LIST_DIR}/)
# A kernel whose registers do not fit is an error: ptxas would move them through memory, silently.
set(ty_cuda_ptxas_flags -Xptxas=--warn-on-spills,--warning-as-error)
