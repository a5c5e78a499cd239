#include "core/backend/dry/dry_backend.h"

#include <omp.h>

#include <cstring>

#include "core/backend/host_workspace.h"

namespace ty {

void DryBackend::touch(std::initializer_list<const View*> operands) {
  ++counts_.kernels;
  for (const View* x : operands) {
    if (x->data != nullptr) counts_.bytes += static_cast<double>(x->bytes());
  }
}

void DryBackend::take(std::int64_t bytes) {
  if (bytes == 0) return;
  const auto size = static_cast<std::size_t>(bytes);
  memory_.release(memory_.allocate(size, MemoryClass::workspace), size, MemoryClass::workspace);
}

DryBackend::DryBackend() : DryBackend(host_device(omp_get_max_threads())) {}

WorkShape DryBackend::work_shape() const { return device_.work; }
CostModel DryBackend::cost_model(DType) const { return device_.costs; }

void DryBackend::read(void* host, const View& x) {
  if (x.bytes() > 0) std::memset(host, 0, x.bytes());
}
void DryBackend::write(const View&, const void*) {}

void DryBackend::copy(const View& y, const View& x) { touch({&y, &x}); }
void DryBackend::fill(const View& y, double) { touch({&y}); }
void DryBackend::axpby(const View& y, double, const View& x, double) { touch({&y, &x}); }
void DryBackend::unary(UnaryOp, const View& y, const View& x) { touch({&y, &x}); }
void DryBackend::unary_grad(UnaryOp, const View& dx, const View& x, const View& dy) {
  touch({&dx, &x, &dy});
}
void DryBackend::binary(BinaryOp, const View& y, const View& a, const View& b) {
  touch({&y, &a, &b});
}
void DryBackend::reduce_sum(const View& y, const View& x, double) {
  touch({&y, &x});
  take(host_workspace::reduce_sum(y, x));
}
void DryBackend::dropout(const View& y, const View& x, const DropoutMask&) { touch({&y, &x}); }

void DryBackend::gemm(const View& c, const View& a, const View& b, GemmScale) {
  touch({&c, &a, &b});
  take(host_workspace::gemm(c, a, b, device_.work.workers));
  counts_.matrix_flops += 2.0 * static_cast<double>(c.numel()) * static_cast<double>(a.shape[-1]);
}

void DryBackend::contract(const Unfolding& c, const Unfolding& a, const Unfolding& b, double) {
  touch({&c.view, &a.view, &b.view});
  counts_.matrix_flops +=
      2.0 * static_cast<double>(c.view.numel()) * static_cast<double>(a.columns());
}

void DryBackend::layer_norm(const View& y, const View& mean, const View& rstd, const View& x,
                            const View& gamma, const View& beta, double) {
  touch({&y, &mean, &rstd, &x, &gamma, &beta});
  take(host_workspace::layer_norm(x, device_.work.workers));
}
void DryBackend::layer_norm_grad(const View& dx, const View& dgamma, const View& dbeta,
                                 const View& dy, const View& x, const View& mean, const View& rstd,
                                 const View& gamma) {
  touch({&dx, &dgamma, &dbeta, &dy, &x, &mean, &rstd, &gamma});
  take(host_workspace::layer_norm_grad(x, device_.work.workers));
}

namespace {
// One product of queries and keys (or probabilities and values), whole or below the diagonal.
double product_flops(const View& q, const View& k, const AttentionOptions& options) {
  const double scores = static_cast<double>(q.numel()) * static_cast<double>(k.shape[2]);
  return 2.0 * scores * (options.causal && q.shape[2] == k.shape[2] ? 0.5 : 1.0);
}
}  // namespace

void DryBackend::attention(const View& y, const View& lse, const View& q, const View& k,
                           const View& v, const AttentionOptions& options) {
  touch({&y, &lse, &q, &k, &v, &options.lengths});
  take(host_workspace::attention(q, k, device_.work.workers));
  counts_.matrix_flops += 2.0 * product_flops(q, k, options);
}
void DryBackend::attention_grad(const View& dq, const View& dk, const View& dv, const View& dy,
                                const View& y, const View& lse, const View& q, const View& k,
                                const View& v, const AttentionOptions& options) {
  touch({&dq, &dk, &dv, &dy, &y, &lse, &q, &k, &v, &options.lengths});
  take(host_workspace::attention_grad(q, k, device_.work.workers));
  counts_.matrix_flops += 5.0 * product_flops(q, k, options);
}

void DryBackend::gather_rows(const View& y, const View&, const View& ids, VocabularySlice) {
  touch({&y, &y, &ids});
}
void DryBackend::scatter_add_rows(const View&, const View& dy, const View& ids, VocabularySlice) {
  touch({&dy, &dy, &dy, &ids});
}
void DryBackend::cross_entropy(const View& loss, const View& lse, const View& logits,
                               const View& targets, VocabularySlice, const CrossEntropyTerms&) {
  touch({&loss, &lse, &logits, &targets});
}
void DryBackend::cross_entropy_grad(const View& dlogits, const View& logits, const View& lse,
                                    const View& targets, const View& dloss, VocabularySlice,
                                    const CrossEntropyTerms&) {
  touch({&dlogits, &logits, &lse, &targets, &dloss});
}
void DryBackend::random_normal(const View& y, const RandomStream&, std::int64_t, std::int64_t,
                               double) {
  touch({&y});
}
void DryBackend::round_stochastic(const View& y, const View& x, const RandomStream&, std::int64_t) {
  touch({&y, &x});
}
void DryBackend::keep_largest(const View& y, const View& x, const View& scores, std::int64_t) {
  touch({&y, &x, &scores});
}
void DryBackend::sum_squares(const View& y, const View& x) { touch({&y, &x}); }
void DryBackend::limit_norm(const View& y, const View& squares, double) {
  touch({&y, &y, &squares});
}
void DryBackend::divide_by_norms(const View& y, const View& squares, double, double) {
  touch({&y, &y, &squares});
}
void DryBackend::adamw(const View& w, const View& m, const View& v, const View& low,
                       const View& gradient, const AdamW&) {
  touch({&w, &w, &m, &m, &v, &v, &low, &gradient});
}
void DryBackend::sgd(const View& w, const View& v, const View& low, const View& gradient,
                     const Sgd&) {
  touch({&w, &w, &v, &v, &low, &gradient});
}

}  // namespace ty
