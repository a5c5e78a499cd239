// Optimizers: each updates the pieces of the flat parameters that this rank owns.
//
// Learning rate and weight decay are set per parameter. State is one flat tensor per moment,
// covering the owned pieces in order, so a sharded optimizer is the same code with fewer pieces.
// Updates are computed in fp32 or fp64; weights kept in 16 bits are rounded stochastically, because
// most updates are smaller than half their spacing and would be lost in rounding to nearest.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/nn/flat_parameters.h"
#include "optim/bounded_steps.h"
#include "optim/norm_cap.h"
#include "optim/product_decay.h"

namespace ty {

// The arguments of one update besides gradients.
struct StepSize {
  double learning_rate = 0.0;
  double gradient_scale = 1.0;  // multiplies gradients first (clipping)
  std::int64_t step = 1;        // counts from 1
  std::uint64_t seed = 0;       // of the rounding of 16-bit weights
};

// What an update does to one parameter and not to others.
struct UpdateOptions {
  double rate = 1.0;  // multiplies the learning rate
  double weight_decay = 0.0;
  double product_decay = 0.0;  // of the product that it is a factor of; needs decay_products()
  double max_norm = 0.0;       // of the parameter before its update; 0: any; needs cap_norms()
  bool is_bounded = false;     // the learning rate bounds the product's step; needs bound_steps()
  bool is_sum = false;         // w -= gradient_scale g, and nothing else
  friend bool operator==(const UpdateOptions&, const UpdateOptions&) = default;
};
using OptionsOf = std::function<UpdateOptions(const Parameter&)>;

class Optimizer {
 public:
  // One moment: flat, the elements of the owned pieces in order.
  struct State {
    std::string name;  // "exp_avg", "exp_avg_sq", "momentum"
    Tensor flat;
  };

  virtual ~Optimizer() = default;
  // Makes what product_decay needs. Steps become collective calls where ranks divide a factor.
  void decay_products(std::unique_ptr<ProductDecay> products) { products_ = std::move(products); }
  // The same for max_norm.
  void cap_norms(std::unique_ptr<NormCap> norms) { norms_ = std::move(norms); }
  // The same for is_bounded; of parameters that lie in one owned piece, wider than 16 bits.
  void bound_steps(std::unique_ptr<BoundedSteps> bounds) { bounds_ = std::move(bounds); }
  // Updates the weights of the owned pieces and their low-precision copy.
  void step(const StepSize& size);
  // The first moment that holds NaN or infinity, as "exp_avg of NAME"; "" if all are finite.
  std::string first_non_finite_state() const;
  const std::vector<State>& states() const { return states_; }
  const std::vector<Piece>& pieces() const { return pieces_; }

 protected:
  struct Operands {
    View weights, low, gradients;  // low has no data if the model reads the weights themselves
    std::vector<View> states;
    UpdateOptions options;
    View product;  // the gradient that product_decay multiplies; no data without it
    View squares;  // of the parameter, [1] fp64, for max_norm; no data without it
  };
  // State starts at zero.
  Optimizer(FlatParameters& parameters, std::vector<Piece> pieces, const OptionsOf& options_of,
            std::vector<std::string> state_names);
  virtual void update(const Operands& operands, const StepSize& size) = 0;
  // Of the first moment, which the steps of bounded factors follow.
  virtual double momentum() const = 0;
  Backend& backend() const { return parameters_->backend(); }

 private:
  // The range of one update(): a piece, or several adjacent ones with the same options.
  struct Run {
    std::int64_t flat_first;   // in the flat buffers
    std::int64_t state_first;  // in the states
    std::int64_t count;
    UpdateOptions options;
    std::size_t piece;  // the first one
  };
  void add_run(const Run& run);
  // Updates all runs; decay of products, the cap of norms and bounds, if there are any, have begun
  // their step.
  void update_runs(const StepSize& size);
  // The update of a factor whose product's step is bounded.
  void update_bounded(const Piece& piece, const Operands& operands, const StepSize& size);
  // The cap of the norm and decay of the product, then update(); or the update of a sum.
  void update_by_options(const Piece& piece, const Operands& operands, const StepSize& size);
  // update() of 16-bit weights, computed in fp32.
  void update_narrow(const Piece& piece, const Operands& operands, const StepSize& size);

  FlatParameters* parameters_;
  std::vector<Piece> pieces_;
  std::vector<Run> runs_;
  std::vector<State> states_;
  Tensor wide_;  // some 16-bit weights in fp32
  std::unique_ptr<ProductDecay> products_;
  std::unique_ptr<NormCap> norms_;
  std::unique_ptr<BoundedSteps> bounds_;
};

// `options` are those of the kernel; gradient_scale and step are set by each step, lr and
// weight_decay with the help of options_of.
std::unique_ptr<Optimizer> make_adamw(FlatParameters& parameters, std::vector<Piece> pieces,
                                      const OptionsOf& options_of, const AdamW& options);
std::unique_ptr<Optimizer> make_sgd(FlatParameters& parameters, std::vector<Piece> pieces,
                                    const OptionsOf& options_of, const Sgd& options);

// The factor that scales gradients of this norm to a norm of at most `limit`; a limit of 0 means no
// clipping.
double clip_factor(double norm, double limit);

}  // namespace ty
