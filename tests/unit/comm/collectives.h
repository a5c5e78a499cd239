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

// Two of them (checked_calls.cpp).
void what_does_not_fit_is_refused_before_anything_is_sent(const Group& world);
void calls_are_counted_as_on_a_phantom(const Group& world);

template <typename T>
View flat(std::vector<T>& x) {
  return contiguous_view(x.data(), DTypeOf<T>::value, {static_cast<std::int64_t>(x.size())});
}

}  // namespace ty::test
