// Choices that a seed fixes, so that a failing input can be made again.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/random.h"

namespace ty::test {

class Choices {
 public:
  // The choices of input `index` of a kind.
  Choices(std::string_view kind, std::uint64_t index) : stream_(20261128, site_id(kind), index) {}

  std::uint32_t word() { return stream_.word(0, next_++); }
  // In [0, count).
  std::size_t below(std::size_t count) { return word() % count; }
  bool one_in(std::size_t count) { return below(count) == 0; }
  template <typename T>
  const T& of(const std::vector<T>& items) {
    return items[below(items.size())];
  }

 private:
  RandomStream stream_;
  std::uint64_t next_ = 0;
};

}  // namespace ty::test
