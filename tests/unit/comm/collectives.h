// What every communicator must do, as functions of a world: the same list runs on one rank alone,
// on threads and under MPI. A check that fails fatally leaves its rank out of step, so loops use
// ASSERT.
#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include "parallel/comm/communicator.h"

namespace ty::test {

struct Check {
  std::string name;
  std::function<void(const Group& world)> run;
};
inline void PrintTo(const Check& check, std::ostream* out) { *out << check.name; }

const std::vector<Check>& communicator_checks();

template <typename T>
View flat(std::vector<T>& x) {
  return contiguous_view(x.data(), DTypeOf<T>::value, {static_cast<std::int64_t>(x.size())});
}

}  // namespace ty::test
