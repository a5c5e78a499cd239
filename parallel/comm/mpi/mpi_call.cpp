#include "parallel/comm/mpi/mpi_call.h"

#include "core/base/error.h"

namespace ty {

void check_mpi(int code, const char* call) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw CommError("{}: {}", call, std::string_view(text, static_cast<std::size_t>(length)));
}

MPI_Datatype mpi_type_of(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return MPI_FLOAT;
    case DType::f64:
      return MPI_DOUBLE;
    case DType::i32:
      return MPI_INT32_T;
    case DType::i64:
      return MPI_INT64_T;
    case DType::bf16:
    case DType::f16:
      return MPI_UINT16_T;  // sums go through operations of ours
  }
  return MPI_BYTE;
}

}  // namespace ty
