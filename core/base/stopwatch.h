// Measures time with the system's monotonic clock.
#pragma once

#include <chrono>
#include <utility>

namespace ty {

class Stopwatch {
 public:
  // Seconds since construction or the last restart().
  double seconds() const { return Seconds(Clock::now() - start_).count(); }
  void restart() { start_ = Clock::now(); }
  // The clock's reading at the last start, in seconds.
  double started_at() const { return Seconds(start_.time_since_epoch()).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  using Seconds = std::chrono::duration<double>;
  Clock::time_point start_ = Clock::now();
};

// How many seconds fn takes.
template <typename Fn>
double seconds_of(Fn&& fn) {
  const Stopwatch watch;
  std::forward<Fn>(fn)();
  return watch.seconds();
}

}  // namespace ty
