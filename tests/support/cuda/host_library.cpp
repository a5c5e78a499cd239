// The product library's part, played by plain loops.
#include "core/backend/cuda/blas/library.h"
#include "tests/support/cuda/plain_product.h"

namespace ty::cuda::blas {

std::size_t library_version() { return 0; }

struct Library::State {};

Library::Library(void*, Allocator&, bool) {}
Library::~Library() = default;

bool Library::can_run(const Product&, const Operands&) { return true; }

void Library::run(const Product& product, double alpha, const Operands& at, double beta) {
  emulated::multiply(product, alpha, at, beta);
}

}  // namespace ty::cuda::blas
