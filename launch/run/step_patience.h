// How long ranks wait for each other inside of a step: one that is ten steps late, and ten seconds,
// is taken to hang.
#pragma once

#include <cstddef>
#include <vector>

namespace ty {

class StepPatience {
 public:
  // A step took so long.
  void add(double seconds);
  // Until a step is done nobody knows how long one takes, and ranks are as patient as elsewhere.
  double seconds() const;

 private:
  std::vector<double> last_;  // steps, at most kSteps
  std::size_t next_ = 0;      // to be overwritten
};

}  // namespace ty
