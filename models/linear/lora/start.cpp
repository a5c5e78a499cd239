#include "models/linear/lora/start.h"

#include <algorithm>
#include <cmath>

#include "core/base/host_copy.h"
#include "core/linalg/svd.h"
#include "models/linear/dense/dense.h"
#include "models/linear/lora/fused_columns.h"
#include "models/linear/svd/svd.h"

namespace ty {

namespace {

using Values = std::map<std::string, std::vector<double>>;

View view_of(Matrix& m) { return contiguous_view(m.data.data(), DType::f64, {m.rows, m.cols}); }

// Columns [first, first + count) of u diag(sigma)^1/2, and the rows of vt likewise; zeros beyond
// what there is.
struct Factors {
  Matrix a, b;
};
Factors factors_of(const Svd& parts, std::int64_t first, std::int64_t count, double factor) {
  Factors some = {Matrix(parts.u.rows, count), Matrix(count, parts.vt.cols)};
  const std::int64_t there = std::min(count, std::ssize(parts.sigma) - first);
  for (std::int64_t k = 0; k < there; ++k) {
    const double root = factor * std::sqrt(parts.sigma[static_cast<std::size_t>(first + k)]);
    for (std::int64_t i = 0; i < some.a.rows; ++i) some.a(i, k) = root * parts.u(i, first + k);
    for (std::int64_t j = 0; j < some.b.cols; ++j) some.b(k, j) = root * parts.vt(first + k, j);
  }
  return some;
}

Factors principal(const Matrix& w, const LoraOptions& options) {
  return factors_of(svd(w), 0, options.rank, 1 / std::sqrt(options.scale()));
}

void subtract_product(Matrix& w, const Factors& taken, double scale) {
  const Matrix product = multiply(taken.a, taken.b);
  for (std::size_t i = 0; i < w.data.size(); ++i) w.data[i] -= scale * product.data[i];
}

void take_whole(Values& values, const LoraOptions& options, const Matrix& w) {
  Factors taken = principal(w, options);
  Matrix rest = w;
  subtract_product(rest, taken, options.scale());
  values["weight"] = std::move(rest.data);
  values["lora.a"] = std::move(taken.a.data);
  values["lora.b"] = std::move(taken.b.data);
}

// Of each of some of q, k and v its own.
void take_parts(Values& values, const LoraOptions& options, const LinearShape& shape,
                const Matrix& w) {
  const FusedParts parts = fused_parts(options.parts, shape.heads);
  const std::int64_t r = options.rank, width = shape.out / 3;
  Matrix a(shape.in, parts.count() * r), b(r, parts.count() * width), rest = w;
  for (std::int64_t p = 0; p < parts.count(); ++p) {
    Matrix part(shape.in, width);
    const View place = part_of_fused(view_of(rest), parts, p);
    const View apart = contiguous_view(part.data.data(), DType::f64, place.shape);
    host_copy(place, apart);
    Factors taken = principal(part, options);
    subtract_product(part, taken, options.scale());
    host_copy(apart, place);
    host_copy(view_of(taken.a), view_of(a).slice(1, p * r, r));
    const View into = part_of_narrow(view_of(b), parts, p);
    host_copy(contiguous_view(taken.b.data.data(), DType::f64, into.shape), into);
  }
  values["weight"] = std::move(rest.data);
  values["lora.a"] = std::move(a.data);
  values["lora.b"] = std::move(b.data);
}

// Of the product of two factors, which becomes one of r terms and one of the others.
void take_factors(Values& values, const LoraOptions& options, const SvdSpec& base,
                  const Matrix& w) {
  const Svd all = svd(w);
  Factors taken = factors_of(all, 0, options.rank, 1 / std::sqrt(options.scale()));
  Factors rest = factors_of(all, options.rank, base.rank - options.rank, 1.0);
  Matrix a(w.rows, base.rank), b(base.rank, w.cols);
  host_copy(view_of(rest.a), view_of(a).slice(1, 0, rest.a.cols));
  host_copy(view_of(rest.b), view_of(b).slice(0, 0, rest.b.rows));
  values["a"] = std::move(a.data);
  values["b"] = std::move(b.data);
  values["lora.a"] = std::move(taken.a.data);
  values["lora.b"] = std::move(taken.b.data);
}

std::vector<double> lengths_of_columns(const Matrix& w) {
  std::vector<double> lengths(static_cast<std::size_t>(w.cols), 0.0);
  for (std::int64_t i = 0; i < w.rows; ++i) {
    for (std::int64_t j = 0; j < w.cols; ++j) {
      lengths[static_cast<std::size_t>(j)] += w(i, j) * w(i, j);
    }
  }
  for (double& length : lengths) length = std::sqrt(length);
  return lengths;
}

std::vector<double> magnitudes(const LoraOptions& options, const LinearShape& shape,
                               const Matrix& w) {
  Matrix all(1, w.cols, lengths_of_columns(w));
  if (options.parts.empty()) return std::move(all.data);
  const FusedParts parts = fused_parts(options.parts, shape.heads);
  Matrix some(1, parts.count() * (shape.out / 3));
  for (std::int64_t p = 0; p < parts.count(); ++p) {
    host_copy(part_of_fused(view_of(all), parts, p), part_of_narrow(view_of(some), parts, p));
  }
  return std::move(some.data);
}

}  // namespace

bool depends_on_weight(const LoraOptions& options) {
  return options.dora || options.init == LoraInit::pissa;
}

std::string obstacle_to_start(const LoraSpec& spec) {
  if (depends_on_weight(spec.options) && !is_one_matrix(spec.of)) {
    return fmt::format("{} of {}, which is no matrix", spec.options.dora ? "dora" : "pissa",
                       describe(spec.of));
  }
  if (spec.options.init != LoraInit::pissa || spec.of.as<DenseSpec>() != nullptr) return "";
  const SvdSpec* svd = spec.of.as<SvdSpec>();
  if (svd == nullptr) {
    return fmt::format("pissa of a {} layer, whose rest is none of its size; want dense or svd",
                       kind_name(spec.of));
  }
  if (!spec.options.parts.empty()) return "pissa of parts of an svd layer; want no parts";
  if (spec.options.rank <= svd->rank) return "";
  return fmt::format("pissa of rank {} out of an svd layer of rank {}; want 1 to {}",
                     spec.options.rank, svd->rank, svd->rank);
}

std::map<std::string, std::vector<double>> adapter_start(const LoraSpec& spec,
                                                         const LinearShape& shape,
                                                         const Matrix& w) {
  Values values;
  const LoraOptions& options = spec.options;
  if (options.dora) values["lora.magnitude"] = magnitudes(options, shape, w);
  if (options.init != LoraInit::pissa) return values;
  if (const SvdSpec* base = spec.of.as<SvdSpec>()) {
    take_factors(values, options, *base, w);
  } else if (options.parts.empty()) {
    take_whole(values, options, w);
  } else {
    take_parts(values, options, shape, w);
  }
  return values;
}

}  // namespace ty
