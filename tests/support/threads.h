// Runs a computation on several numbers of threads, to compare bits.
#pragma once

#include <omp.h>

#include <functional>
#include <vector>

namespace ty::test {

// Puts the number of threads back at the end of a test.
class Threads {
 public:
  ~Threads() { omp_set_num_threads(before_); }
  void set(int count) { omp_set_num_threads(count); }

 private:
  int before_ = omp_get_max_threads();
};

// The number of threads, of 2, 3 and 4, whose result is not the one of 1 thread; 0 if there is
// none.
inline int first_difference(const std::function<std::vector<double>()>& compute) {
  Threads threads;
  threads.set(1);
  const std::vector<double> alone = compute();
  for (const int count : {2, 3, 4}) {
    threads.set(count);
    if (compute() != alone) return count;
  }
  return 0;
}

}  // namespace ty::test
