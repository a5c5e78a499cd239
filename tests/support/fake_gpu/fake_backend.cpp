#include "tests/support/fake_gpu/fake_backend.h"

#include <sched.h>

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

void FakeBackend::put(const char* name, std::function<void()> run, std::initializer_list<View> out,
                      std::initializer_list<View> in) {
  std::vector<FakeAccess> accesses;
  for (const View& x : out) {
    if (x.data != nullptr) accesses.push_back(access(x, true));
  }
  for (const View& x : in) {
    if (x.data != nullptr) accesses.push_back(access(x, false));
  }
  FakeGpu::get().put(*stream_, {.name = name, .run = std::move(run)}, accesses);
}

FakeBackend::~FakeBackend() {
  constexpr double kPatience = 5.0;  // seconds
  FakeGpu::get().leave(stream_->rank, kPatience);
}

void FakeBackend::synchronize() {
  ++synchronizations_;
  FakeEvent all;
  FakeGpu::get().record(all, *stream_);
  if (observer_ != nullptr) observer_->begin();
  while (!FakeGpu::get().reach(all.target)) {
    if (observer_ != nullptr) observer_->look();
    sched_yield();
  }
  FakeGpu::get().host_has_seen(all);
}

WorkShape FakeBackend::work_shape() const { return math_.work_shape(); }
CostModel FakeBackend::cost_model(DType dtype) const { return math_.cost_model(dtype); }

void FakeBackend::read(void* host, const View& x) {
  put("read", [=, this] { math_.read(host, x); }, {}, {x});
  synchronize();
}

void FakeBackend::write(const View& y, const void* host) {
  put("write", [=, this] { math_.write(y, host); }, {y}, {});
  synchronize();
}

void FakeBackend::copy(const View& y, const View& x) {
  put("copy", [=, this] { math_.copy(y, x); }, {y}, {x});
}

void FakeBackend::fill(const View& y, double value) {
  put("fill", [=, this] { math_.fill(y, value); }, {y}, {});
}

void FakeBackend::axpby(const View& y, double alpha, const View& x, double beta) {
  put("axpby", [=, this] { math_.axpby(y, alpha, x, beta); }, {y}, {x});
}

void FakeBackend::unary(UnaryOp op, const View& y, const View& x) {
  put("unary", [=, this] { math_.unary(op, y, x); }, {y}, {x});
}

void FakeBackend::unary_grad(UnaryOp op, const View& dx, const View& x, const View& dy) {
  put("unary_grad", [=, this] { math_.unary_grad(op, dx, x, dy); }, {dx}, {x, dy});
}

void FakeBackend::binary(BinaryOp op, const View& y, const View& a, const View& b) {
  put("binary", [=, this] { math_.binary(op, y, a, b); }, {y}, {a, b});
}

void FakeBackend::reduce_sum(const View& y, const View& x, double beta) {
  put("reduce_sum", [=, this] { math_.reduce_sum(y, x, beta); }, {y}, {x});
}

void FakeBackend::dropout(const View& y, const View& x, const DropoutMask& mask) {
  put("dropout", [=, this] { math_.dropout(y, x, mask); }, {y}, {x});
}

void FakeBackend::gemm(const View& c, const View& a, const View& b, GemmScale scale) {
  put("gemm", [=, this] { math_.gemm(c, a, b, scale); }, {c}, {a, b});
}

void FakeBackend::contract(const Unfolding& c, const Unfolding& a, const Unfolding& b,
                           double beta) {
  put("contract", [=, this] { math_.contract(c, a, b, beta); }, {c.view}, {a.view, b.view});
}

void FakeBackend::layer_norm(const View& y, const View& mean, const View& rstd, const View& x,
                             const View& gamma, const View& beta, double eps) {
  put("layer_norm", [=, this] { math_.layer_norm(y, mean, rstd, x, gamma, beta, eps); },
      {y, mean, rstd}, {x, gamma, beta});
}

void FakeBackend::layer_norm_grad(const View& dx, const View& dgamma, const View& dbeta,
                                  const View& dy, const View& x, const View& mean, const View& rstd,
                                  const View& gamma) {
  put("layer_norm_grad",
      [=, this] { math_.layer_norm_grad(dx, dgamma, dbeta, dy, x, mean, rstd, gamma); },
      {dx, dgamma, dbeta}, {dy, x, mean, rstd, gamma});
}

void FakeBackend::attention(const View& y, const View& lse, const View& q, const View& k,
                            const View& v, const AttentionOptions& options) {
  put("attention", [=, this] { math_.attention(y, lse, q, k, v, options); }, {y, lse},
      {q, k, v, options.lengths});
}

void FakeBackend::attention_grad(const View& dq, const View& dk, const View& dv, const View& dy,
                                 const View& y, const View& lse, const View& q, const View& k,
                                 const View& v, const AttentionOptions& options) {
  put("attention_grad",
      [=, this] { math_.attention_grad(dq, dk, dv, dy, y, lse, q, k, v, options); }, {dq, dk, dv},
      {dy, y, lse, q, k, v, options.lengths});
}

void FakeBackend::gather_rows(const View& y, const View& table, const View& ids,
                              VocabularySlice slice) {
  put("gather_rows", [=, this] { math_.gather_rows(y, table, ids, slice); }, {y}, {table, ids});
}

void FakeBackend::scatter_add_rows(const View& table, const View& dy, const View& ids,
                                   VocabularySlice slice) {
  put("scatter_add_rows", [=, this] { math_.scatter_add_rows(table, dy, ids, slice); }, {table},
      {dy, ids});
}

void FakeBackend::cross_entropy(const View& loss, const View& lse, const View& logits,
                                const View& targets, VocabularySlice slice,
                                const CrossEntropyTerms& terms) {
  put("cross_entropy", [=, this] { math_.cross_entropy(loss, lse, logits, targets, slice, terms); },
      {loss, lse}, {logits, targets});
}

void FakeBackend::cross_entropy_grad(const View& dlogits, const View& logits, const View& lse,
                                     const View& targets, const View& dloss, VocabularySlice slice,
                                     const CrossEntropyTerms& terms) {
  put("cross_entropy_grad",
      [=, this] { math_.cross_entropy_grad(dlogits, logits, lse, targets, dloss, slice, terms); },
      {dlogits}, {logits, lse, targets, dloss});
}

void FakeBackend::random_normal(const View& y, const RandomStream& stream, std::int64_t first,
                                std::int64_t row_step, double std) {
  put("random_normal", [=, this] { math_.random_normal(y, stream, first, row_step, std); }, {y},
      {});
}

void FakeBackend::round_stochastic(const View& y, const View& x, const RandomStream& stream,
                                   std::int64_t first) {
  put("round_stochastic", [=, this] { math_.round_stochastic(y, x, stream, first); }, {y}, {x});
}

void FakeBackend::sum_squares(const View& y, const View& x) {
  put("sum_squares", [=, this] { math_.sum_squares(y, x); }, {y}, {x});
}

void FakeBackend::adamw(const View& w, const View& m, const View& v, const View& low,
                        const View& gradient, const AdamW& options) {
  put("adamw", [=, this] { math_.adamw(w, m, v, low, gradient, options); }, {w, m, v, low},
      {gradient});
}

void FakeBackend::sgd(const View& w, const View& v, const View& low, const View& gradient,
                      const Sgd& options) {
  put("sgd", [=, this] { math_.sgd(w, v, low, gradient, options); }, {w, v, low}, {gradient});
}

}  // namespace ty::test
