#include "models/huggingface/peft/peft_layers.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/error.h"
#include "core/base/host_copy.h"
#include "core/linalg/svd.h"
#include "models/huggingface/peft/peft_modules.h"
#include "models/linear/lora/fused_columns.h"
#include "models/linear/lora/lora.h"

namespace ty {

namespace {

View view_of(Matrix& m) { return contiguous_view(m.data.data(), DType::f64, {m.rows, m.cols}); }

// What is added to a weight, s a b, with rows of b that are zero outside of the columns of a part.
struct Change {
  Matrix a, b;                        // [in, K], [K, out]
  std::vector<std::int64_t> part_of;  // of each of the K: 0, 1, 2; -1: of all columns
};

Matrix layer_values(const StoredModel& model, const LinearSite& site, const char* name,
                    std::int64_t rows, std::int64_t cols) {
  return Matrix(rows, cols, model.values(site.path + "." + name, {rows, cols}));
}

Change change_of(const StoredModel& model, const LinearSite& site, const LoraOptions& options) {
  const LinearShape& shape = site.shape;
  const std::int64_t r = options.rank;
  if (options.parts.empty()) {
    return {layer_values(model, site, "lora.a", shape.in, r),
            layer_values(model, site, "lora.b", r, shape.out),
            std::vector<std::int64_t>(static_cast<std::size_t>(r), -1)};
  }
  const FusedParts parts = fused_parts(options.parts, shape.heads);
  const std::int64_t all = parts.count() * r;
  Matrix narrow = layer_values(model, site, "lora.b", r, shape.out / 3 * parts.count());
  Change change = {layer_values(model, site, "lora.a", shape.in, all), Matrix(all, shape.out), {}};
  for (std::int64_t p = 0; p < parts.count(); ++p) {
    host_copy(part_of_narrow(view_of(narrow), parts, p),
              part_of_fused(view_of(change.b).slice(0, p * r, r), parts, p));
    change.part_of.insert(change.part_of.end(), static_cast<std::size_t>(r),
                          parts.which[static_cast<std::size_t>(p)]);
  }
  return change;
}

// The layer without its adapter.
Matrix base_weight(const StoredModel& model, LinearSite site) {
  if (const auto* lora = site.spec.as<LoraSpec>()) site.spec = LinearSpec(lora->of);
  return Matrix(site.shape.in, site.shape.out, model.dense_weight(site));
}

// The best s a b of rank r for a matrix, appended to a change.
void append(Change& change, const Matrix& w, std::int64_t r, double scale, std::int64_t part) {
  const Svd factors = truncated_svd(w, KeepRank{r}).factors;
  const std::int64_t old = change.a.cols, more = std::ssize(factors.sigma);
  Matrix a(change.a.rows, old + more), b(old + more, change.b.cols);
  host_copy(view_of(change.a), view_of(a).slice(1, 0, old));
  host_copy(view_of(change.b), view_of(b).slice(0, 0, old));
  for (std::int64_t k = 0; k < more; ++k) {
    const double root = std::sqrt(factors.sigma[static_cast<std::size_t>(k)] / scale);
    for (std::int64_t i = 0; i < a.rows; ++i) a(i, old + k) = root * factors.u(i, k);
    for (std::int64_t j = 0; j < b.cols; ++j) b(old + k, j) = root * factors.vt(k, j);
    change.part_of.push_back(part);
  }
  change.a = std::move(a);
  change.b = std::move(b);
}

// Adds what pissa took out of the base, so that the change is one of the original: W' - W is of
// rank r, for each part that has an adapter.
void add_what_was_taken(Change& change, const StoredModel& model, const LinearSite& site,
                        const LoraOptions& options, const StoredModel& original) {
  const auto& sites = original.linear_sites();
  const auto there = std::find_if(sites.begin(), sites.end(),
                                  [&](const LinearSite& each) { return each.path == site.path; });
  if (there == sites.end() || there->shape.in != site.shape.in ||
      there->shape.out != site.shape.out) {
    throw DataError("{}: has no {} [{}, {}]", original.directory().string(), site.path,
                    site.shape.in, site.shape.out);
  }
  Matrix taken = subtract(base_weight(model, site), base_weight(original, *there));
  if (options.parts.empty()) return append(change, taken, options.rank, options.scale(), -1);
  const FusedParts parts = fused_parts(options.parts, site.shape.heads);
  for (std::int64_t p = 0; p < parts.count(); ++p) {
    Matrix part(taken.rows, taken.cols);
    host_copy(part_of_fused(view_of(taken), parts, p), part_of_fused(view_of(part), parts, p));
    append(change, part, options.rank, options.scale(), parts.which[static_cast<std::size_t>(p)]);
  }
}

// Of all columns; those that no adapter has keep the length of the base's.
Matrix lengths_of(const StoredModel& model, const LinearSite& site, const LoraOptions& options) {
  const LinearShape& shape = site.shape;
  if (options.parts.empty()) return layer_values(model, site, "lora.magnitude", 1, shape.out);
  const FusedParts parts = fused_parts(options.parts, shape.heads);
  Matrix some = layer_values(model, site, "lora.magnitude", 1, shape.out / 3 * parts.count());
  const Matrix w = base_weight(model, site);
  Matrix all(1, shape.out);
  for (std::int64_t i = 0; i < w.rows; ++i) {
    for (std::int64_t j = 0; j < w.cols; ++j) all(0, j) += w(i, j) * w(i, j);
  }
  for (double& length : all.data) length = std::sqrt(length);
  for (std::int64_t p = 0; p < parts.count(); ++p) {
    host_copy(part_of_narrow(view_of(some), parts, p), part_of_fused(view_of(all), parts, p));
  }
  return all;
}

Matrix rows_of(const Matrix& m, const std::vector<std::int64_t>& rows) {
  Matrix some(std::ssize(rows), m.cols);
  for (std::int64_t i = 0; i < some.rows; ++i) {
    for (std::int64_t j = 0; j < m.cols; ++j) some(i, j) = m(rows[static_cast<std::size_t>(i)], j);
  }
  return some;
}

// The columns of b [n, out of the layer] that are a module's, as [out, n].
Matrix columns_of(const PeftModule& module, Matrix b) {
  Matrix own(module.out, b.rows);
  const View from = module.columns_of(view_of(b));
  host_copy(from, contiguous_view(own.data.data(), DType::f64, from.shape));
  return own;
}

}  // namespace

std::vector<PeftAdapter> peft_adapters(const StoredModel& model, const LinearSite& site,
                                       const StoredModel* original) {
  const auto* spec = site.spec.as<LoraSpec>();
  TY_CHECK(spec != nullptr, "{} has no adapter", site.path);
  const LoraOptions& options = spec->options;
  Change change = change_of(model, site, options);
  if (options.init == LoraInit::pissa) {
    if (original == nullptr) {
      throw DataError(
          "{}: {} started with pissa, which changed its base; name the original: --base",
          model.directory().string(), site.path);
    }
    add_what_was_taken(change, model, site, options, *original);
  }
  Matrix lengths;
  if (options.dora) lengths = lengths_of(model, site, options);
  const Matrix turned = transpose(change.a);
  const std::vector<PeftModule> modules = peft_modules(model.spec(), site);
  std::vector<PeftAdapter> adapters;
  for (std::size_t i = 0; i < modules.size(); ++i) {
    std::vector<std::int64_t> own;
    for (std::size_t k = 0; k < change.part_of.size(); ++k) {
      const std::int64_t part = change.part_of[k];
      if (modules.size() > 1 && part >= 0 && part != static_cast<std::int64_t>(i)) continue;
      own.push_back(static_cast<std::int64_t>(k));
    }
    if (own.empty()) continue;
    PeftAdapter adapter = {.module = modules[i].names.front(),
                           .a = rows_of(turned, own),
                           .b = columns_of(modules[i], rows_of(change.b, own)),
                           .scale = options.scale(),
                           .dtype = model.dtype(site.path + ".lora.a"),
                           .keeps_order = modules[i].keeps_order};
    if (options.dora) adapter.magnitude = columns_of(modules[i], lengths).data;
    adapters.push_back(std::move(adapter));
  }
  return adapters;
}

}  // namespace ty
