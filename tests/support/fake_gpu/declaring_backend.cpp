#include "tests/support/fake_gpu/declaring_backend.h"

namespace ty::test {

namespace {

// From the first to the last element, with what lies between.
FakeAccess access(const View& x, bool is_write) {
  std::int64_t last = 0;
  for (int d = 0; d < x.rank(); ++d) last += (x.shape[d] - 1) * x.strides[d];
  const std::int64_t elements = x.numel() == 0 ? 0 : last + 1;
  const auto bytes = static_cast<std::size_t>(elements) * size_of(x.dtype);
  return {x.as<const std::byte>(), bytes, is_write};
}

}  // namespace

void DeclaringBackend::put_views(const char* name, std::function<void()> run,
                                 std::initializer_list<View> out, std::initializer_list<View> in) {
  std::vector<FakeAccess> accesses;
  for (const View& x : out) {
    if (x.data != nullptr) accesses.push_back(access(x, true));
  }
  for (const View& x : in) {
    if (x.data != nullptr) accesses.push_back(access(x, false));
  }
  put(name, std::move(run), accesses);
}

WorkShape DeclaringBackend::work_shape() const { return math().work_shape(); }
CostModel DeclaringBackend::cost_model(DType dtype) const { return math().cost_model(dtype); }

void DeclaringBackend::read(void* host, const View& x) {
  put_views("read", [=, this] { math().read(host, x); }, {}, {x});
}

void DeclaringBackend::write(const View& y, const void* host) {
  put_views("write", [=, this] { math().write(y, host); }, {y}, {});
}

void DeclaringBackend::copy(const View& y, const View& x) {
  put_views("copy", [=, this] { math().copy(y, x); }, {y}, {x});
}

void DeclaringBackend::fill(const View& y, double value) {
  put_views("fill", [=, this] { math().fill(y, value); }, {y}, {});
}

void DeclaringBackend::axpby(const View& y, double alpha, const View& x, double beta) {
  put_views("axpby", [=, this] { math().axpby(y, alpha, x, beta); }, {y}, {x});
}

void DeclaringBackend::unary(UnaryOp op, const View& y, const View& x) {
  put_views("unary", [=, this] { math().unary(op, y, x); }, {y}, {x});
}

void DeclaringBackend::unary_grad(UnaryOp op, const View& dx, const View& x, const View& dy) {
  put_views("unary_grad", [=, this] { math().unary_grad(op, dx, x, dy); }, {dx}, {x, dy});
}

void DeclaringBackend::binary(BinaryOp op, const View& y, const View& a, const View& b) {
  put_views("binary", [=, this] { math().binary(op, y, a, b); }, {y}, {a, b});
}

void DeclaringBackend::reduce_sum(const View& y, const View& x, double beta) {
  put_views("reduce_sum", [=, this] { math().reduce_sum(y, x, beta); }, {y}, {x});
}

void DeclaringBackend::dropout(const View& y, const View& x, const DropoutMask& mask) {
  put_views("dropout", [=, this] { math().dropout(y, x, mask); }, {y}, {x});
}

void DeclaringBackend::gemm_bias(const View& c, const View& a, const View& b, const View& bias) {
  put_views("gemm_bias", [=, this] { math().gemm_bias(c, a, b, bias); }, {c}, {a, b, bias});
}

void DeclaringBackend::gemm(const View& c, const View& a, const View& b, GemmScale scale) {
  put_views("gemm", [=, this] { math().gemm(c, a, b, scale); }, {c}, {a, b});
}

void DeclaringBackend::contract(const Unfolding& c, const Unfolding& a, const Unfolding& b,
                                double beta) {
  put_views("contract", [=, this] { math().contract(c, a, b, beta); }, {c.view}, {a.view, b.view});
}

void DeclaringBackend::layer_norm(const View& y, const View& mean, const View& rstd, const View& x,
                                  const View& gamma, const View& beta, double eps) {
  put_views("layer_norm", [=, this] { math().layer_norm(y, mean, rstd, x, gamma, beta, eps); },
            {y, mean, rstd}, {x, gamma, beta});
}

void DeclaringBackend::layer_norm_grad(const View& dx, const View& dgamma, const View& dbeta,
                                       const View& dy, const View& x, const View& mean,
                                       const View& rstd, const View& gamma) {
  put_views("layer_norm_grad",
            [=, this] { math().layer_norm_grad(dx, dgamma, dbeta, dy, x, mean, rstd, gamma); },
            {dx, dgamma, dbeta}, {dy, x, mean, rstd, gamma});
}

void DeclaringBackend::attention(const View& y, const View& lse, const View& q, const View& k,
                                 const View& v, const AttentionOptions& options) {
  put_views("attention", [=, this] { math().attention(y, lse, q, k, v, options); }, {y, lse},
            {q, k, v, options.lengths});
}

void DeclaringBackend::attention_grad(const View& dq, const View& dk, const View& dv,
                                      const View& dy, const View& y, const View& lse, const View& q,
                                      const View& k, const View& v,
                                      const AttentionOptions& options) {
  put_views("attention_grad",
            [=, this] { math().attention_grad(dq, dk, dv, dy, y, lse, q, k, v, options); },
            {dq, dk, dv}, {dy, y, lse, q, k, v, options.lengths});
}

void DeclaringBackend::gather_rows(const View& y, const View& table, const View& ids,
                                   VocabularySlice slice) {
  put_views("gather_rows", [=, this] { math().gather_rows(y, table, ids, slice); }, {y},
            {table, ids});
}

void DeclaringBackend::scatter_add_rows(const View& table, const View& dy, const View& ids,
                                        VocabularySlice slice) {
  put_views("scatter_add_rows", [=, this] { math().scatter_add_rows(table, dy, ids, slice); },
            {table}, {dy, ids});
}

void DeclaringBackend::cross_entropy(const View& loss, const View& lse, const View& logits,
                                     const View& targets, VocabularySlice slice,
                                     const CrossEntropyTerms& terms) {
  put_views("cross_entropy",
            [=, this] { math().cross_entropy(loss, lse, logits, targets, slice, terms); },
            {loss, lse}, {logits, targets});
}

void DeclaringBackend::cross_entropy_grad(const View& dlogits, const View& logits, const View& lse,
                                          const View& targets, const View& dloss,
                                          VocabularySlice slice, const CrossEntropyTerms& terms) {
  put_views(
      "cross_entropy_grad",
      [=, this] { math().cross_entropy_grad(dlogits, logits, lse, targets, dloss, slice, terms); },
      {dlogits}, {logits, lse, targets, dloss});
}

void DeclaringBackend::random_normal(const View& y, const RandomStream& stream, std::int64_t first,
                                     std::int64_t row_step, double std) {
  put_views("random_normal", [=, this] { math().random_normal(y, stream, first, row_step, std); },
            {y}, {});
}

void DeclaringBackend::round_stochastic(const View& y, const View& x, const RandomStream& stream,
                                        std::int64_t first) {
  put_views("round_stochastic", [=, this] { math().round_stochastic(y, x, stream, first); }, {y},
            {x});
}

void DeclaringBackend::keep_largest(const View& y, const View& x, const View& scores,
                                    std::int64_t kept) {
  put_views("keep_largest", [=, this] { math().keep_largest(y, x, scores, kept); }, {y},
            {x, scores});
}

void DeclaringBackend::sum_squares(const View& y, const View& x) {
  put_views("sum_squares", [=, this] { math().sum_squares(y, x); }, {y}, {x});
}

void DeclaringBackend::limit_norm(const View& y, const View& squares, double limit) {
  put_views("limit_norm", [=, this] { math().limit_norm(y, squares, limit); }, {y}, {squares});
}

void DeclaringBackend::divide_by_norms(const View& y, const View& squares, double root,
                                       double offset) {
  put_views("divide_by_norms", [=, this] { math().divide_by_norms(y, squares, root, offset); }, {y},
            {squares});
}

void DeclaringBackend::adamw(const View& w, const View& m, const View& v, const View& low,
                             const View& gradient, const AdamW& options) {
  put_views("adamw", [=, this] { math().adamw(w, m, v, low, gradient, options); }, {w, m, v, low},
            {gradient});
}

void DeclaringBackend::sgd(const View& w, const View& v, const View& low, const View& gradient,
                           const Sgd& options) {
  put_views("sgd", [=, this] { math().sgd(w, v, low, gradient, options); }, {w, v, low},
            {gradient});
}

}  // namespace ty::test
