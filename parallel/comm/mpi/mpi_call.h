// MPI calls with checked return codes. Only for this folder.
#pragma once

#include <mpi.h>

#include "core/base/dtype.h"

namespace ty {

// Throws CommError with MPI's error text unless the code means success.
void check_mpi(int code, const char* call);
#define TY_MPI_CALL(call) ::ty::check_mpi(call, #call)

MPI_Datatype mpi_type_of(DType dtype);

}  // namespace ty
