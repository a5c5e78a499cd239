// Matrix products whose bits do not depend on the number of threads.
//
// A library divides a product among the threads it finds; where there are few results it splits the
// sums, so that the number of threads changes the last bits. Here the result is cut into blocks by
// its shape alone, and each block is one single-threaded library product:
//
//          columns                     c [1024, 3072], 2.4 G multiplications: 6 x 6 blocks
//        +----+----+----+
//   rows | 0  | 1  | 2  |  <- a block is about 2^26 multiplications, at most 64 of them; its
//        +----+----+----+     sides are multiples of what the library's kernel takes at once
//        | 3  | 4  | 5  |
//        +----+----+----+
//
// Where several products run side by side, each on one thread, each is whole: blocks that no other
// thread can take gain nothing, and each packs its own operands.
#pragma once

#include "core/backend/cpu/blas.h"

namespace ty::cpu {

// As gemm(). Large products take up to a tenth longer, because each block packs its own operands.
void cut_gemm(std::int64_t m, std::int64_t n, std::int64_t k, float alpha, const float* a,
              Matrix la, const float* b, Matrix lb, float beta, float* c, std::int64_t lc);

// While one lives, products of its thread are whole. That thread must have no team to share them
// with.
class WholeProducts {
 public:
  WholeProducts();
  ~WholeProducts();
  WholeProducts(const WholeProducts&) = delete;
  WholeProducts& operator=(const WholeProducts&) = delete;
  static bool on_this_thread();

 private:
  bool before_;
};

}  // namespace ty::cpu
