// Sharing: the ranks of a tensor group that hold one model together, and how a layer meets the
// others' parts of it (Shoeybi et al., arXiv 1909.08053; with rows: Korthikanti et al., arXiv
// 2205.05198).
//
//   outside                  inside
//   all numbers, or          out: all rows x own columns of the result
//   own rows or columns      in:  all rows x own columns of the input
//   of [B T, C]
//
//   x --- enter ---> layer of Split::out ---> layer of Split::in --- leave ---> y
//
// Where layers have the layout hidden, what lies outside is divided by columns.
//
// A group of one rank makes all of it the same, and no call is made.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/nn/parameter.h"
#include "core/ops/matmul.h"
#include "parallel/comm/communicator.h"
#include "parallel/data/reduction.h"

namespace ty {

// How ranks hold one layer. split: each a part of its columns or rows. whole: each all of it. rank:
// each a part of the rank of its factors, and all ranks compute all that lies between two such
// layers (for comparison: it sends whole results). hidden: each a part of both factors, between own
// columns on both sides (for comparison). automatic: split or whole, whatever costs less.
enum class LinearLayout : std::uint8_t { automatic, split, whole, rank, hidden };

struct Sharing {
  Group tensor = {};                              // on the backend of the model
  bool rows = false;                              // outside, each rank has its own rows only
  LinearLayout layout = LinearLayout::automatic;  // of the layer that is asked for

  bool columns = false;  // outside, it has its own columns only

  // canonical: all that ranks could divide is computed in virtual shards, by however many of them,
  // one included.
  Reduction reduction = Reduction::fast;

  int ranks() const { return tensor.size(); }
  bool has_own_rows() const { return rows && tensor.size() > 1; }
  bool has_own_columns() const { return columns && tensor.size() > 1; }
  bool is_canonical() const { return reduction == Reduction::canonical; }
  // Whether layers are made of parts: those of ranks, or shards.
  bool is_divided() const { return tensor.size() > 1 || is_canonical(); }
};

// Of what lies outside, what a shared layer reads: the same numbers on all ranks, all rows. Its
// gradients add up over the ranks.
Tensor enter(const Tensor& x, const Sharing& sharing);
// The sum of the ranks' partial results, whole or own rows or columns. Writes over y if nobody else
// holds it.
Tensor leave(Tensor y, const Sharing& sharing);

// "valid: 1, 2, 3, 6": how many ranks can share so many of something evenly.
std::string valid_degrees(std::int64_t count);
// Throws ConfigError unless the ranks can share so many of what the key `what` counts evenly.
void require_even(const char* what, std::int64_t count, const Sharing& sharing);

// The part of one dimension that this rank holds: even, or as even as can be.
Slice own_part(int dim, std::int64_t whole, const Sharing& sharing);
// How many elements that are.
std::int64_t own_count(std::int64_t whole, const Sharing& sharing);
// Its virtual shards; none if sums are fast.
Shards own_shards(std::int64_t whole, const Sharing& sharing);

// Whether a replay reads this rank's terms of what leave() adds up: of several ranks' sums, the
// result is kept.
InReplay terms_in_replay(const Sharing& sharing);

// Declares a parameter that lies along the columns outside in its dimension `dim`: the whole of it,
// or of own columns.
const Parameter& declare_along_columns(const Scope& scope, std::string_view name, Shape whole,
                                       int dim, const Init& init, const Sharing& sharing);

// The placement of a parameter cut along `dim`, of which every rank sees all that flows through its
// part.
Placement placed_part(int dim, std::int64_t whole, const Sharing& sharing);
// The placement of a parameter that every rank holds whole and applies outside: to the same
// numbers, or (own rows) to its share of them.
Placement placed_outside(const Sharing& sharing);
// The placement of a parameter that every rank holds whole and applies inside: to its share of the
// columns.
Placement placed_inside(const Sharing& sharing);

}  // namespace ty
