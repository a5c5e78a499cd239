#include "core/ops/shards.h"

#include "core/base/error.h"
#include "core/tensor/tensor.h"

namespace ty {

namespace {

// Adds up the terms of a range.
class TermTree {
 public:
  TermTree(Backend& backend, const std::function<void(std::int64_t, const View&)>& make)
      : backend_(backend), make_(make) {}

  void write(const Range& terms, const View& y) const {
    if (terms.count == 1) return make_(terms.first, y);
    const std::int64_t half = terms.count / 2;
    write({terms.first, half}, y);
    add({terms.first + half, terms.count - half}, y);
  }
  // y += their sum
  void add(const Range& terms, const View& y) const {
    const Tensor sum = Tensor::empty(backend_, y.shape, y.dtype);
    write(terms, sum.view());
    backend_.axpby(y, 1.0, sum.view(), 1.0);
  }

 private:
  Backend& backend_;
  const std::function<void(std::int64_t, const View&)>& make_;
};

}  // namespace

void gemm_in_shards(Backend& backend, const View& c, const View& a, const View& b, double beta,
                    ProductDim divided, const Shards& shards) {
  if (shards.empty()) return backend.gemm(c, a, b, {.beta = beta});
  const auto shard = [&](const View& x, int dim, std::size_t i) {
    return x.slice(dim, shards[i].first, shards[i].count);
  };
  if (divided == ProductDim::inner) {
    const auto count = static_cast<std::int64_t>(shards.size());
    return add_in_tree(backend, c, beta, count, [&](std::int64_t term, const View& y) {
      const auto i = static_cast<std::size_t>(term);
      backend.gemm(y, shard(a, 1, i), shard(b, 0, i), {});
    });
  }
  for (std::size_t i = 0; i < shards.size(); ++i) {
    if (divided == ProductDim::rows) {
      backend.gemm(shard(c, 0, i), shard(a, 0, i), b, {.beta = beta});
    } else {
      backend.gemm(shard(c, 1, i), a, shard(b, 1, i), {.beta = beta});
    }
  }
}

void add_in_tree(Backend& backend, const View& y, double beta, std::int64_t count,
                 const std::function<void(std::int64_t i, const View& term)>& make) {
  const TermTree tree(backend, make);
  if (beta == 0.0) return tree.write({0, count}, y);
  TY_CHECK(beta == 1.0, "a sum by a tree is added or written, not scaled by {}", beta);
  tree.add({0, count}, y);
}

}  // namespace ty
