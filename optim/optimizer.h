// Optimizers: one update of the pieces of flat parameters that this rank owns.
//
// Weight decay is decided per parameter, state lies in one flat tensor per moment, over the owned
// pieces in order; so a sharded optimizer is the same code with fewer pieces. Updates are made in
// fp32 or fp64; weights kept in 16 bits are rounded stochastically, as a step is mostly smaller
// than half of their spacing and would be lost to nearest rounding.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/nn/flat_parameters.h"

namespace ty {

// What one update takes besides gradients.
struct StepSize {
  double learning_rate = 0.0;
  double gradient_scale = 1.0;  // multiplies gradients first (clipping)
  std::int64_t step = 1;        // counts from 1
  std::uint64_t seed = 0;       // of the rounding of 16-bit weights
};

class Optimizer {
 public:
  // A moment of the owned pieces: flat, the pieces' elements in order.
  struct State {
    std::string name;  // "exp_avg", "exp_avg_sq", "momentum"
    Tensor flat;
  };

  virtual ~Optimizer() = default;
  // Updates weights (and their low-precision copy) of the owned pieces.
  void step(const StepSize& size);
  // A moment that holds NaN or infinity, as "exp_avg of NAME"; "" if all numbers are finite.
  std::string first_non_finite_state() const;
  const std::vector<State>& states() const { return states_; }
  const std::vector<Piece>& pieces() const { return pieces_; }

 protected:
  struct Operands {
    View weights, low, gradients;  // low has no data if the model reads the weights themselves
    std::vector<View> states;
    double weight_decay;
  };
  // State starts at zero. decay_of(name) is a parameter's weight decay.
  Optimizer(FlatParameters& parameters, std::vector<Piece> pieces,
            const std::function<double(const Parameter&)>& decay_of,
            std::vector<std::string> state_names);
  virtual void update(const Operands& operands, const StepSize& size) = 0;
  Backend& backend() const { return parameters_->backend(); }

 private:
  // What one update() takes: a piece, or several that lie side by side and decay alike.
  struct Run {
    std::int64_t flat_first;   // in the flat buffers
    std::int64_t state_first;  // in the states
    std::int64_t count;
    double weight_decay;
    std::size_t piece;  // the first one
  };
  void add_run(const Run& run);
  // update() of 16-bit weights, by way of fp32.
  void update_narrow(const Piece& piece, const Operands& operands, const StepSize& size);

  FlatParameters* parameters_;
  std::vector<Piece> pieces_;
  std::vector<Run> runs_;
  std::vector<State> states_;
  Tensor wide_;  // some 16-bit weights in fp32
};

using DecayOf = std::function<double(const Parameter&)>;
// `options` as its kernel takes them; what a step decides is overwritten: lr, gradient_scale, step,
// and weight_decay by decay_of.
std::unique_ptr<Optimizer> make_adamw(FlatParameters& parameters, std::vector<Piece> pieces,
                                      const DecayOf& decay_of, const AdamW& options);
std::unique_ptr<Optimizer> make_sgd(FlatParameters& parameters, std::vector<Piece> pieces,
                                    const DecayOf& decay_of, const Sgd& options);

// What to multiply gradients of this norm by so that the result's norm is at most `limit`; a limit
// of 0 means no clipping.
double clip_factor(double norm, double limit);

}  // namespace ty
