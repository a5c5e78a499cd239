// QR and LQ factorisations.
#pragma once

#include "core/linalg/matrix.h"

namespace ty {

// a [m, n] = q r with q [m, k] of orthonormal columns, r [k, n] upper triangular, k = min(m, n).
struct Qr {
  Matrix q, r;
};
Qr qr(Matrix a);

// a [m, n] = l q with l [m, k] lower triangular, q [k, n] of orthonormal rows, k = min(m, n).
struct Lq {
  Matrix l, q;
};
Lq lq(Matrix a);
// Only l of lq(a): its singular values and left singular vectors are those of a.
Matrix lq_factor(Matrix a);

}  // namespace ty
