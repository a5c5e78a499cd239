// The LAPACK routines that core/linalg uses, by their Fortran names.
//
// They come from the same OpenBLAS library as the matrix products. The C interface, LAPACKE, is a
// separate library that loads whichever libblas.so.3 and liblapack.so.3 the machine's alternatives
// point at: a second BLAS in the process, with its own threads. All matrices here are column-major,
// so a row-major matrix is read as its transpose. The trailing size_t arguments are the lengths of
// the character arguments.
#pragma once

#include <cblas.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "core/base/error.h"

extern "C" {
void dgesdd_(const char* job, const blasint* m, const blasint* n, double* a, const blasint* lda,
             double* s, double* u, const blasint* ldu, double* vt, const blasint* ldvt,
             double* work, const blasint* lwork, blasint* iwork, blasint* info, std::size_t);
void dgesvd_(const char* job_u, const char* job_vt, const blasint* m, const blasint* n, double* a,
             const blasint* lda, double* s, double* u, const blasint* ldu, double* vt,
             const blasint* ldvt, double* work, const blasint* lwork, blasint* info, std::size_t,
             std::size_t);
void dgeqrf_(const blasint* m, const blasint* n, double* a, const blasint* lda, double* tau,
             double* work, const blasint* lwork, blasint* info);
void dorgqr_(const blasint* m, const blasint* n, const blasint* k, double* a, const blasint* lda,
             const double* tau, double* work, const blasint* lwork, blasint* info);
void dgelqf_(const blasint* m, const blasint* n, double* a, const blasint* lda, double* tau,
             double* work, const blasint* lwork, blasint* info);
void dorglq_(const blasint* m, const blasint* n, const blasint* k, double* a, const blasint* lda,
             const double* tau, double* work, const blasint* lwork, blasint* info);
void dsyevd_(const char* job, const char* triangle, const blasint* n, double* a, const blasint* lda,
             double* w, double* work, const blasint* lwork, blasint* iwork, const blasint* liwork,
             blasint* info, std::size_t, std::size_t);
void dposv_(const char* triangle, const blasint* n, const blasint* nrhs, double* a,
            const blasint* lda, double* b, const blasint* ldb, blasint* info, std::size_t);
}

namespace ty::lapack {

// A size in the integer type of BLAS and LAPACK; throws ShapeError if it does not fit.
inline blasint size(std::int64_t n) {
  if (n > std::numeric_limits<blasint>::max()) {
    throw ShapeError("linear algebra: size {} exceeds {}, the most that this BLAS can address", n,
                     std::numeric_limits<blasint>::max());
  }
  return static_cast<blasint>(n);
}

// Calls a routine twice, first to query the workspace that it needs, then with that workspace:
// call(work, &lwork, &info). Returns info of the second call.
template <typename Call>
blasint with_workspace(const char* routine, Call&& call) {
  double wanted = 0.0;
  blasint lwork = -1, info = 0;
  call(&wanted, &lwork, &info);
  TY_CHECK(info == 0, "{}: workspace query refused, argument {}", routine, -info);
  lwork = size(static_cast<std::int64_t>(wanted));
  std::vector<double> work(static_cast<std::size_t>(lwork));
  call(work.data(), &lwork, &info);
  TY_CHECK(info >= 0, "{}: argument {} is wrong", routine, -info);
  return info;
}

}  // namespace ty::lapack
