// Offsets of the rows, or of the columns, of an unfolding, by row or column number. Dimensions that
// are walked without a gap are merged.
//
//   rows [2, 3] with strides 1 and 10:   number  0  1  2  3  4  5
//                                        offset  0 10 20  1 11 21
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "core/base/view.h"

namespace ty::cpu {

using Offsets = std::vector<std::int64_t>;

class Digits {
 public:
  // Dimensions [first, end) of x, row-major.
  Digits(const View& x, int first, int end) {
    for (int d = first; d < end; ++d) {
      if (x.shape[d] == 1) continue;
      size_ *= x.shape[d];
      if (!sizes_.empty() && steps_[-1] == x.strides[d] * x.shape[d]) {
        sizes_[-1] *= x.shape[d];
        steps_[-1] = x.strides[d];
      } else {
        sizes_.push_back(x.shape[d]);
        steps_.push_back(x.strides[d]);
      }
    }
    if (sizes_.empty()) {
      sizes_.push_back(1);
      steps_.push_back(1);
    }
  }

  std::int64_t size() const { return size_; }
  // The distance between neighbours, if it is the same everywhere.
  std::optional<std::int64_t> step() const {
    return sizes_.rank() == 1 ? std::optional(steps_[0]) : std::nullopt;
  }
  // offsets[i] = the offset of number first + i.
  void write(std::int64_t first, std::int64_t count, std::int64_t* offsets) const {
    const int last = sizes_.rank() - 1;
    while (count > 0) {
      std::int64_t rest = first, offset = 0;
      for (int d = last; d >= 0; rest /= sizes_[d--]) offset += rest % sizes_[d] * steps_[d];
      const std::int64_t run = std::min(count, sizes_[last] - first % sizes_[last]);
      for (std::int64_t i = 0; i < run; ++i) offsets[i] = offset + i * steps_[last];
      offsets += run;
      first += run;
      count -= run;
    }
  }

 private:
  Dims sizes_, steps_;
  std::int64_t size_ = 1;
};

}  // namespace ty::cpu
