// A product in the library's own descriptors. They need no device, so they are tested without one.
#pragma once

#include <cublasLt.h>

#include <memory>
#include <type_traits>

#include "core/backend/cuda/blas/product.h"

namespace ty::cuda::blas {

// Throws DeviceError that names the call.
void check(cublasStatus_t status, const char* call);

struct Descriptors {
  Descriptors(const Product& product, bool tf32);

  template <typename T, cublasStatus_t (*Destroy)(T)>
  struct Deleter {
    void operator()(std::remove_pointer_t<T>* p) const { Destroy(p); }
  };
  template <typename T, cublasStatus_t (*Destroy)(T)>
  using Handle = std::unique_ptr<std::remove_pointer_t<T>, Deleter<T, Destroy>>;
  using Layout = Handle<cublasLtMatrixLayout_t, cublasLtMatrixLayoutDestroy>;

  // Where the bias of the next call lies.
  void set_bias(const void* bias) const;

  Handle<cublasLtMatmulDesc_t, cublasLtMatmulDescDestroy> product;
  Layout a, b, c;
  bool is_double;  // alpha and beta
};

}  // namespace ty::cuda::blas
