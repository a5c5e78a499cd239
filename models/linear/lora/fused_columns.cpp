#include "models/linear/lora/fused_columns.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/autograd/graph.h"

namespace ty {

namespace {
constexpr std::int64_t kAll = std::ssize(kFusedParts);
}  // namespace

FusedParts fused_parts(const std::vector<std::string>& names, std::int64_t heads) {
  FusedParts parts = {{}, heads};
  for (const std::string& name : names) {
    parts.which.push_back(std::find(kFusedParts.begin(), kFusedParts.end(), name) -
                          kFusedParts.begin());
  }
  return parts;
}

View part_of_narrow(const View& b, const FusedParts& parts, std::int64_t p) {
  const std::int64_t width = b.shape[1] / (parts.heads * parts.count());
  const Shape apart = {b.shape[0], parts.heads, parts.count(), width};
  return contiguous_view(b.data, b.dtype, apart).slice(2, p, 1);
}

View part_of_fused(const View& all, const FusedParts& parts, std::int64_t p) {
  const std::int64_t width = all.shape[1] / (parts.heads * kAll);
  const Shape apart = {all.shape[0], parts.heads, kAll, width};
  const std::int64_t which = parts.which[static_cast<std::size_t>(p)];
  return contiguous_view(all.data, all.dtype, apart).slice(2, which, 1);
}

namespace {

// Rows of part p of what it is spread to.
View spread_part(const View& all, const FusedParts& parts, std::int64_t p) {
  const std::int64_t rows = all.shape[0] / parts.count();
  return part_of_fused(all.slice(0, p * rows, rows), parts, p);
}

}  // namespace

Tensor spread_over_fused(const Tensor& b, const FusedParts& parts) {
  Backend& backend = b.backend();
  const Shape narrow = b.shape();
  const Tensor all = Tensor::empty(
      backend, {narrow[0] * parts.count(), narrow[1] / parts.count() * kAll}, b.dtype());
  backend.fill(all.view(), 0.0);
  for (std::int64_t p = 0; p < parts.count(); ++p) {
    backend.copy(spread_part(all.view(), parts, p), part_of_narrow(b.view(), parts, p));
  }
  return record("spread_over_fused", all, {b}, [narrow, parts](const Tensor& dy) {
    const Tensor db = Tensor::empty(dy.backend(), narrow, dy.dtype());
    for (std::int64_t p = 0; p < parts.count(); ++p) {
      dy.backend().copy(part_of_narrow(db.view(), parts, p), spread_part(dy.view(), parts, p));
    }
    return Grads{db};
  });
}

}  // namespace ty
