#include "models/linear/btt/btt_function.h"

#include <array>
#include <utility>

#include "core/autograd/replay.h"
#include "core/base/error.h"
#include "core/ops/bias.h"

namespace ty {

namespace {

struct Sizes {
  std::int64_t m1, m2, n1, n2, rank;
};

Sizes sizes_of(const Tensor& x, const Tensor& a, const Tensor& b) {
  const bool are_cores = x.rank() >= 1 && a.rank() == 3 && b.rank() == 3 && a.dim(0) > 0;
  if (are_cores) {
    const Sizes sizes = {a.dim(1), a.dim(0), b.dim(0), b.dim(2), b.dim(1) / a.dim(0)};
    if (x.dim(-1) == sizes.m1 * sizes.m2 && b.dim(1) == sizes.m2 * sizes.rank &&
        a.dim(2) == sizes.n1 * sizes.rank) {
      return sizes;
    }
  }
  throw ShapeError("btt_linear: x {}, a {} and b {} do not fit", x.shape().str(), a.shape().str(),
                   b.shape().str());
}

// A copy of x, which has the elements of `shape`, with its dimensions in another order.
Tensor reordered(const Tensor& x, const Shape& shape, std::initializer_list<int> order) {
  const View from = x.view().reshape(shape).permute(std::span(order.begin(), order.size()));
  Tensor y = Tensor::empty(x.backend(), from.shape, x.dtype());
  x.backend().copy(y.view(), from);
  return y;
}

// A product of matrices for each entry of the leading dimension.
Tensor products(const View& a, const View& b, Backend& backend) {
  Tensor y = Tensor::empty(backend, {a.shape[0], a.shape[1], b.shape[2]}, a.dtype);
  backend.gemm(y.view(), a, b, {});
  return y;
}

// What a pass multiplies: x by i2, [m2, T, m1], and z by j1, [n1, T, m2 r].
struct Operands {
  Tensor x, z;
};

Operands operands_of(const Tensor& x, const View& a, const Sizes& s) {
  const std::int64_t tokens = x.numel() / (s.m1 * s.m2);
  Operands result;
  result.x = reordered(x, {tokens, s.m1, s.m2}, {2, 0, 1});
  const Tensor z = products(result.x.view(), a, x.backend());
  result.z = reordered(z, {s.m2, tokens, s.n1, s.rank}, {2, 1, 0, 3});
  return result;
}

// Rows of y by j1: [n1, T, n2].
View by_block(const View& y, const Sizes& s) {
  return y.reshape({y.numel() / (s.n1 * s.n2), s.n1, s.n2}).transpose(0, 1);
}
View by_rows(const Tensor& z, const Sizes& s) {
  return z.view().reshape({s.n1, z.numel() / (s.n1 * s.m2 * s.rank), s.m2 * s.rank});
}

// What a backward pass reads; x is there if a core is trained.
struct Kept {
  SavedTensor x, a, b;
  Sizes sizes;
  Shape shape;  // of x
  bool is_trained, has_bias;
};

Grads gradients_of(const Kept& kept, const Tensor& dy) {
  Backend& backend = dy.backend();
  const auto& [x, a, b, s, shape, is_trained, has_bias] = kept;
  const std::int64_t tokens = dy.numel() / (s.n1 * s.n2);
  Operands operands;
  if (is_trained) operands = operands_of(*x, a->view(), s);
  const Tensor dz_by_block = products(by_block(dy.view(), s), b->view().transpose(1, 2), backend);
  const Tensor dz = reordered(dz_by_block, {s.n1, tokens, s.m2, s.rank}, {2, 1, 0, 3});
  const View dz_by_column = dz.view().reshape({s.m2, tokens, s.n1 * s.rank});
  Grads grads;
  const Tensor dx = products(dz_by_column, a->view().transpose(1, 2), backend);
  Tensor dx_in_place = reordered(dx, {s.m2, tokens, s.m1}, {1, 2, 0});
  grads.emplace_back(dx_in_place.alias(dx_in_place.view().reshape(shape)));
  grads.emplace_back([by_column = operands.x, dz, dz_by_column](const View& da, double beta) {
    dz.backend().gemm(da, by_column.view().transpose(1, 2), dz_by_column, {.beta = beta});
  });
  grads.emplace_back([z = operands.z, dy, s = s](const View& db, double beta) {
    z.backend().gemm(db, by_rows(z, s).transpose(1, 2), by_block(dy.view(), s), {.beta = beta});
  });
  if (has_bias) grads.push_back(bias_gradient(dy));
  return grads;
}

}  // namespace

Tensor btt_linear(const Tensor& x, const Tensor& a, const Tensor& b, const Tensor& bias) {
  const Sizes s = sizes_of(x, a, b);
  check_bias(bias, s.n1 * s.n2, "btt_linear");
  Backend& backend = x.backend();
  const Tensor input = x.contiguous();
  Shape shape = x.shape();
  shape[-1] = s.n1 * s.n2;
  const Tensor y = dear([&] {
    const Tensor made = Tensor::empty(backend, shape, x.dtype());
    const Operands operands = operands_of(input, a.view(), s);
    backend.gemm(by_block(made.view(), s), by_rows(operands.z, s), b.view(), {});
    add_bias(made, bias);
    return made;
  });
  std::vector<Tensor> inputs = {x, a, b};
  if (bias.defined()) inputs.push_back(bias);
  const bool is_trained = a.requires_grad() || b.requires_grad();
  const Kept kept = {is_trained ? saved(input) : SavedTensor(),
                     saved(a),
                     saved(b),
                     s,
                     x.shape(),
                     is_trained,
                     bias.defined()};
  return record("btt_linear", y, std::move(inputs),
                [kept](const Tensor& dy) { return gradients_of(kept, dy); });
}

}  // namespace ty
