// Work: a pending operation of a communicator, for which the caller waits.
#pragma once

#include <memory>
#include <utility>

namespace ty {

// How long a rank waits for others by default, in seconds.
inline constexpr double kDefaultPatience = 600.0;

// A pending operation. wait() must be called before the data is used.
class [[nodiscard]] Work {
 public:
  class State {
   public:
    virtual ~State() = default;
    // Makes progress; true when done.
    virtual bool test() = 0;
    // Throws CommError that names the late ranks if it is not done in time; may then be called
    // again.
    virtual void wait(double patience_seconds) = 0;
  };

  Work() = default;  // already done
  Work(std::unique_ptr<State> state, double patience_seconds)
      : state_(std::move(state)), patience_seconds_(patience_seconds) {}
  // True when done. Throws CommError if it failed.
  bool test() { return state_ == nullptr || state_->test(); }
  // Blocks until done; throws CommError if a peer failed or patience is exhausted.
  void wait() { wait(patience_seconds_); }
  void wait(double patience_seconds) {
    if (state_ != nullptr) state_->wait(patience_seconds);
    state_.reset();
  }

 private:
  std::unique_ptr<State> state_;
  double patience_seconds_ = 0.0;
};

}  // namespace ty
