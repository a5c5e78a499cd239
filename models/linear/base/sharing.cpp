#include "models/linear/base/sharing.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/even_parts.h"
#include "parallel/tensor/region.h"

namespace ty {

Tensor enter(const Tensor& x, const Sharing& sharing) {
  if (sharing.columns) return all_gather_reduce_scatter_columns(x, sharing.tensor);
  return sharing.rows ? all_gather_reduce_scatter(x, sharing.tensor)
                      : identity_all_reduce(x, sharing.tensor, sharing.reduction);
}

Tensor leave(Tensor y, const Sharing& sharing) {
  if (sharing.columns) return reduce_scatter_all_gather_columns(y, sharing.tensor);
  return sharing.rows ? reduce_scatter_all_gather(y, sharing.tensor)
                      : all_reduce_identity(std::move(y), sharing.tensor, sharing.reduction);
}

namespace {

Range own_range(std::int64_t whole, const Sharing& sharing) {
  return even_part(whole, sharing.tensor.rank(), sharing.ranks());
}

Placement whole_on_every_rank(AxisSet partial, const Sharing& sharing) {
  return {.slice = {}, .partial = partial, .counted = sharing.tensor.rank() == 0};
}

}  // namespace

std::string valid_degrees(std::int64_t count) {
  std::vector<std::int64_t> degrees;
  for (std::int64_t d = 1; d <= count && degrees.size() < 12; ++d) {
    if (count % d == 0) degrees.push_back(d);
  }
  return fmt::format("valid: {}", fmt::join(degrees, ", "));
}

void require_even(const char* what, std::int64_t count, const Sharing& sharing) {
  if (count % sharing.ranks() == 0) return;
  throw ConfigError(Key{"parallel.tensor"}, "{} ranks cannot share {} = {} evenly; {}",
                    sharing.ranks(), what, count, valid_degrees(count));
}

Slice own_part(int dim, std::int64_t whole, const Sharing& sharing) {
  if (sharing.ranks() == 1) return {};
  return {dim, own_range(whole, sharing).first, whole};
}

std::int64_t own_count(std::int64_t whole, const Sharing& sharing) {
  return own_range(whole, sharing).count;
}

Shards own_shards(std::int64_t whole, const Sharing& sharing) {
  return sharing.is_canonical() ? virtual_shards(whole, own_range(whole, sharing)) : Shards{};
}

InReplay terms_in_replay(const Sharing& sharing) {
  return sharing.ranks() > 1 ? InReplay::unread : InReplay::read;
}

const Parameter& declare_along_columns(const Scope& scope, std::string_view name, Shape whole,
                                       int dim, const Init& init, const Sharing& sharing) {
  if (!sharing.has_own_columns()) return scope.parameter(name, whole, init);
  const Placement placement = placed_part(dim, whole[dim], sharing);
  whole[dim] = own_count(whole[dim], sharing);
  return scope.parameter(name, whole, init, placement);
}

Placement placed_part(int dim, std::int64_t whole, const Sharing& sharing) {
  return {.slice = own_part(dim, whole, sharing), .divided = sharing.is_canonical() ? dim : -1};
}

Placement placed_outside(const Sharing& sharing) {
  return whole_on_every_rank(
      sharing.has_own_rows() ? AxisSet{Axis::data, Axis::tensor} : AxisSet{Axis::data}, sharing);
}

Placement placed_inside(const Sharing& sharing) {
  return whole_on_every_rank(
      sharing.ranks() > 1 ? AxisSet{Axis::data, Axis::tensor} : AxisSet{Axis::data}, sharing);
}

}  // namespace ty
