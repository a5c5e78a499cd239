#include "core/backend/cuda/cudnn/opened_library.h"

#include <cudnn.h>
#include <dlfcn.h>

#include <cstddef>

#define TY_TEXT_OF(x) #x
#define TY_TEXT(x) TY_TEXT_OF(x)

namespace ty::cudnn {

namespace {

// Where the module finds its own libraries; never closed.
void* library() {
  static void* const handle = dlopen("libcudnn.so." TY_TEXT(CUDNN_MAJOR), RTLD_NOW | RTLD_LOCAL);
  return handle;
}

template <typename Function>
Function* find(const char* name) {
  return library() == nullptr ? nullptr : reinterpret_cast<Function*>(dlsym(library(), name));
}

}  // namespace

bool is_library_here() { return library() != nullptr; }

}  // namespace ty::cudnn

// Defines cuDNN's function: calls the library's, or returns `otherwise`.
#define TY_FORWARD(result, name, parameters, arguments, otherwise)          \
  result name parameters {                                                  \
    static auto* const function = ty::cudnn::find<decltype(::name)>(#name); \
    return function == nullptr ? otherwise : function arguments;            \
  }
#define TY_FORWARD_STATUS(name, parameters, arguments) \
  TY_FORWARD(cudnnStatus_t, name, parameters, arguments, CUDNN_STATUS_NOT_INITIALIZED)

extern "C" {

TY_FORWARD(std::size_t, cudnnGetVersion, (), (), 0)
TY_FORWARD(const char*, cudnnGetErrorString, (cudnnStatus_t status), (status), "no cuDNN")
void cudnnGetLastErrorString(char* message, std::size_t size) {
  static auto* const function =
      ty::cudnn::find<decltype(::cudnnGetLastErrorString)>("cudnnGetLastErrorString");
  if (function != nullptr) function(message, size);
}
TY_FORWARD_STATUS(cudnnCreate, (cudnnHandle_t * handle), (handle))
TY_FORWARD_STATUS(cudnnDestroy, (cudnnHandle_t handle), (handle))
TY_FORWARD_STATUS(cudnnSetStream, (cudnnHandle_t handle, cudaStream_t stream), (handle, stream))
TY_FORWARD_STATUS(cudnnBackendCreateDescriptor,
                  (cudnnBackendDescriptorType_t type, cudnnBackendDescriptor_t* descriptor),
                  (type, descriptor))
TY_FORWARD_STATUS(cudnnBackendDestroyDescriptor, (cudnnBackendDescriptor_t descriptor),
                  (descriptor))
TY_FORWARD_STATUS(cudnnBackendFinalize, (cudnnBackendDescriptor_t descriptor), (descriptor))
TY_FORWARD_STATUS(cudnnBackendSetAttribute,
                  (cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name,
                   cudnnBackendAttributeType_t type, int64_t count, const void* elements),
                  (descriptor, name, type, count, elements))
TY_FORWARD_STATUS(cudnnBackendGetAttribute,
                  (cudnnBackendDescriptor_t const descriptor, cudnnBackendAttributeName_t name,
                   cudnnBackendAttributeType_t type, int64_t wanted, int64_t* count,
                   void* elements),
                  (descriptor, name, type, wanted, count, elements))
TY_FORWARD_STATUS(cudnnBackendExecute,
                  (cudnnHandle_t handle, cudnnBackendDescriptor_t plan,
                   cudnnBackendDescriptor_t operands),
                  (handle, plan, operands))

}  // extern "C"
