// How long ranks wait for each other within a step: a rank that is late by ten steps' time and at
// least ten seconds is considered hung.
#pragma once

#include <cstddef>
#include <vector>

namespace ty {

class StepPatience {
 public:
  // Records the duration of a step.
  void add(double seconds);
  // The patience to use. Before the first step its duration is unknown, and this is the usual
  // patience.
  double seconds() const;

 private:
  std::vector<double> last_;  // steps, at most kSteps
  std::size_t next_ = 0;      // to be overwritten
};

}  // namespace ty
