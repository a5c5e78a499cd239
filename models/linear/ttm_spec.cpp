#include "models/linear/ttm_spec.h"

#include <utility>

namespace ty {

TtmShape shape_of(const TtmSpec& spec) { return with_ranks(spec.in, spec.out, spec.ranks); }

TtmSpec exact_spec(const TtmShape& shape, TtmSpec like) {
  like.in = shape.in;
  like.out = shape.out;
  like.ranks.assign(shape.ranks.begin() + 1, shape.ranks.end() - 1);
  like.rank = 0;
  like.keep = 0;
  like.clip_ranks = false;
  return like;
}

}  // namespace ty
