// Loss scaling for training in fp16 (Micikevicius et al., arXiv 1710.03740).
//
// Most gradients of activations are smaller than fp16 can hold and would become zero. So backward
// begins with the loss times a scale, and the optimizer divides the gradients of the weights, which
// are fp32, by it. The scale is as large as it can be: a step whose gradients overflow is skipped
// and halves the scale, and 2000 good steps in a row double it. Scales are powers of two, which
// change no digit of a gradient that fits.
#pragma once

#include <cstdint>
#include <string>

namespace ty {

class LossScale {
 public:
  static constexpr double kFirst = 65536.0;
  static constexpr double kSmallest = 1.0;
  static constexpr double kLargest = 1 << 24;
  static constexpr std::int64_t kGoodSteps = 2000;  // in a row, after which the scale is doubled

  // What a run needs to go on.
  struct State {
    double scale = 0.0;              // 0: the loss is not scaled
    std::int64_t good_steps = 0;     // since the scale changed
    std::int64_t skipped_steps = 0;  // of the whole run

    friend bool operator==(const State&, const State&) = default;
  };

  // The loss is not scaled.
  LossScale() = default;
  // The scale begins with `first`. Throws ConfigError unless it is a power of two from kSmallest to
  // kLargest.
  explicit LossScale(double first);

  // What the loss is multiplied by; 1 if it is not scaled.
  double factor() const { return is_used() ? state_.scale : 1.0; }
  bool is_used() const { return state_.scale > 0.0; }
  // Whether a step whose gradients overflow may be skipped; if not, no smaller scale would help.
  bool can_shrink() const { return state_.scale > kSmallest; }
  // To be called after a step whose gradients were finite.
  void step_taken();
  // To be called after a step that was skipped, which can_shrink() must have allowed.
  void step_skipped();

  const State& state() const { return state_; }
  // Goes on from a state. How many steps were skipped always counts; the rest only if both this and
  // the state scale the loss. Throws DataError, which begins with `place`, if no run can have had
  // the state.
  void restore(const State& state, const std::string& place);

 private:
  State state_;
};

// Whether a loss scale may have this value.
bool is_loss_scale(double value);

}  // namespace ty
