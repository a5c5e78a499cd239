// Work: an operation of a communicator under way, which its caller waits for.
#pragma once

#include <memory>
#include <utility>

namespace ty {

// How long a rank waits for the others unless it is told otherwise, in seconds.
inline constexpr double kDefaultPatience = 600.0;

// An operation under way. wait() must be called before the data is used.
class [[nodiscard]] Work {
 public:
  class State {
   public:
    virtual ~State() = default;
    // Makes progress; true when done.
    virtual bool test() = 0;
    // Throws CommError, which names the late ranks, if it is not done in time; may be called again
    // then.
    virtual void wait(double patience_seconds) = 0;
  };

  Work() = default;  // already done
  Work(std::unique_ptr<State> state, double patience_seconds)
      : state_(std::move(state)), patience_seconds_(patience_seconds) {}
  // True when done. Throws CommError if it failed.
  bool test() { return state_ == nullptr || state_->test(); }
  // Blocks until it is done; throws CommError if a peer failed or patience has ended.
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
