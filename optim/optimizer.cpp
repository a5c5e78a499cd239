#include "optim/optimizer.h"

#include <algorithm>
#include <optional>

#include "core/base/random.h"

namespace ty {

namespace {

constexpr std::int64_t kWideElements = std::int64_t{1} << 20;

bool is_narrow(DType dtype) { return size_of(dtype) < 4; }

// Elements [first, first + count) of a contiguous view; nothing of nothing.
View part(const View& flat, std::int64_t first, std::int64_t count) {
  return flat.data == nullptr ? flat : flat.slice(0, first, count);
}

}  // namespace

Optimizer::Optimizer(FlatParameters& parameters, std::vector<Piece> pieces,
                     const OptionsOf& options_of, std::vector<std::string> state_names)
    : parameters_(&parameters), pieces_(std::move(pieces)) {
  std::int64_t total = 0;
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    const Piece& piece = pieces_[i];
    const UpdateOptions options = options_of(parameters.store().all()[piece.parameter]);
    add_run({piece.flat_first, total, piece.inside.count, options, i});
    total += piece.inside.count;
  }
  for (std::string& name : state_names) {
    const Tensor flat =
        Tensor::empty(parameters.backend(), {total}, accumulator_of(parameters.weights().dtype()),
                      MemoryClass::optimizer);
    parameters.backend().fill(flat.view(), 0.0);
    states_.push_back({std::move(name), flat});
  }
  if (is_narrow(parameters.weights().dtype())) {
    wide_ = Tensor::empty(parameters.backend(), {std::min(total, kWideElements)}, DType::f32,
                          MemoryClass::workspace);
  }
}

// An element's update does not depend on its place in a range, so merging changes no bit. Rounding
// of 16-bit weights does: it is drawn per parameter. So is the gradient of a product's decay made,
// and a norm is one parameter's.
void Optimizer::add_run(const Run& run) {
  if (!runs_.empty() && !is_narrow(parameters_->weights().dtype())) {
    Run& last = runs_.back();
    if (last.flat_first + last.count == run.flat_first && last.options == run.options &&
        run.options.product_decay == 0.0 && run.options.max_norm == 0.0 &&
        !run.options.is_bounded) {
      last.count += run.count;
      return;
    }
  }
  runs_.push_back(run);
}

void Optimizer::step(const StepSize& size) {
  if (norms_ != nullptr) norms_->begin_step();
  if (bounds_ != nullptr) bounds_->begin_step();
  if (products_ != nullptr) products_->begin_step();
  update_runs(size);
  if (products_ != nullptr) products_->end_step();
}

void Optimizer::update_runs(const StepSize& size) {
  const FlatParameters& p = *parameters_;
  // Of one parameter, whose pieces follow one another: from its value before the first is updated.
  std::optional<std::size_t> decaying;
  Tensor product;
  for (const Run& run : runs_) {
    const Range flat = {run.flat_first, run.count};
    Operands operands{slice(p.weights(), flat).view(),
                      View{},
                      slice(p.gradients(), flat).view(),
                      {},
                      run.options,
                      View{},
                      View{}};
    if (run.options.max_norm > 0.0) {
      operands.squares = norms_->squares(pieces_[run.piece].parameter);
    }
    if (run.options.product_decay > 0.0) {
      const Piece& piece = pieces_[run.piece];
      if (decaying != piece.parameter) {
        product = products_->gradient(piece.parameter);
        decaying = piece.parameter;
      }
      operands.product = slice(product, piece.inside).view();
    }
    if (p.has_separate_model()) operands.low = slice(p.model(), flat).view();
    for (const State& state : states_) {
      operands.states.push_back(slice(state.flat, {run.state_first, run.count}).view());
    }
    if (wide_.defined()) {
      update_narrow(pieces_[run.piece], operands, size);
    } else {
      update_by_options(pieces_[run.piece], operands, size);
    }
  }
}

void Optimizer::update_by_options(const Piece& piece, const Operands& operands,
                                  const StepSize& size) {
  const UpdateOptions& options = operands.options;
  if (operands.squares.data != nullptr) {
    backend().limit_norm(operands.weights, operands.squares, options.max_norm);
  }
  if (operands.product.data != nullptr) {
    backend().sgd(
        operands.weights, View{}, View{}, operands.product,
        {.lr = size.learning_rate * options.rate * options.product_decay, .is_clipped = false});
  }
  if (options.is_bounded) return update_bounded(piece, operands, size);
  if (!options.is_sum) return update(operands, size);
  backend().sgd(operands.weights, View{}, operands.low, operands.gradients,
                {.lr = 1.0, .gradient_scale = size.gradient_scale});
}

// The momentum takes the gradient as an update without a learning rate does, so clipping and what
// forbids updates are where they always are.
void Optimizer::update_bounded(const Piece& piece, const Operands& operands, const StepSize& size) {
  const Parameter& factor = parameters_->store().all()[piece.parameter];
  TY_CHECK(operands.weights.numel() == factor.shape.numel() && !wide_.defined(),
           "{} is no whole matrix of wide numbers here", factor.name);
  Tensor own;  // without moments: the gradient alone
  if (operands.states.empty()) {
    own = Tensor::empty(backend(), {factor.shape.numel()}, operands.weights.dtype,
                        MemoryClass::workspace);
    backend().fill(own.view(), 0.0);
  }
  const View moment = own.defined() ? own.view() : operands.states.front();
  backend().sgd(
      operands.weights, moment, View{}, operands.gradients,
      {.momentum = own.defined() ? 0.0 : momentum(), .gradient_scale = size.gradient_scale});
  const Tensor direction = bounds_->direction(piece.parameter, moment);
  const View along = direction.view().reshape({direction.numel()});
  backend().sgd(operands.weights, View{}, operands.low, along,
                {.lr = size.learning_rate * operands.options.rate,
                 .weight_decay = operands.options.weight_decay,
                 .is_clipped = false});
}

std::string Optimizer::first_non_finite_state() const {
  std::vector<Range> ranges;
  std::int64_t first = 0;
  for (const Piece& piece : pieces_) {
    ranges.push_back({first, piece.inside.count});
    first += piece.inside.count;
  }
  for (const State& state : states_) {
    const std::int64_t i = first_non_finite(state.flat, ranges);
    if (i < 0) continue;
    const Piece& piece = pieces_[static_cast<std::size_t>(i)];
    return state.name + " of " + parameters_->store().all()[piece.parameter].name;
  }
  return "";
}

void Optimizer::update_narrow(const Piece& piece, const Operands& all, const StepSize& size) {
  const std::string& name = parameters_->store().all()[piece.parameter].name;
  const RandomStream rounding(size.seed, site_id("rounding." + name),
                              static_cast<std::uint64_t>(size.step));
  for (std::int64_t first = 0; first < piece.inside.count; first += wide_.numel()) {
    const std::int64_t count = std::min(wide_.numel(), piece.inside.count - first);
    const View narrow = part(all.weights, first, count);
    Operands operands{part(wide_.view(), 0, count),
                      View{},
                      part(all.gradients, first, count),
                      {},
                      all.options,
                      part(all.product, first, count),
                      all.squares};
    for (const View& state : all.states) operands.states.push_back(part(state, first, count));
    backend().copy(operands.weights, narrow);
    update_by_options(piece, operands, size);
    backend().round_stochastic(narrow, operands.weights, rounding, piece.inside.first + first);
    if (all.low.data != nullptr) backend().copy(part(all.low, first, count), narrow);
  }
}

namespace {

class AdamWOptimizer final : public Optimizer {
 public:
  AdamWOptimizer(FlatParameters& parameters, std::vector<Piece> pieces, const OptionsOf& options_of,
                 const AdamW& options)
      : Optimizer(parameters, std::move(pieces), options_of, {"exp_avg", "exp_avg_sq"}),
        options_(options) {}

 private:
  void update(const Operands& o, const StepSize& size) override {
    options_.lr = size.learning_rate * o.options.rate;
    options_.weight_decay = o.options.weight_decay;
    options_.step = size.step;
    options_.gradient_scale = size.gradient_scale;
    backend().adamw(o.weights, o.states[0], o.states[1], o.low, o.gradients, options_);
  }
  double momentum() const override { return options_.beta1; }
  AdamW options_;
};

class SgdOptimizer final : public Optimizer {
 public:
  SgdOptimizer(FlatParameters& parameters, std::vector<Piece> pieces, const OptionsOf& options_of,
               const Sgd& options)
      : Optimizer(parameters, std::move(pieces), options_of,
                  options.momentum == 0.0 ? std::vector<std::string>{}
                                          : std::vector<std::string>{"momentum"}),
        options_(options) {}

 private:
  void update(const Operands& o, const StepSize& size) override {
    options_.lr = size.learning_rate * o.options.rate;
    options_.weight_decay = o.options.weight_decay;
    options_.gradient_scale = size.gradient_scale;
    backend().sgd(o.weights, o.states.empty() ? View{} : o.states[0], o.low, o.gradients, options_);
  }
  double momentum() const override { return options_.momentum; }
  Sgd options_;
};

}  // namespace

std::unique_ptr<Optimizer> make_adamw(FlatParameters& parameters, std::vector<Piece> pieces,
                                      const OptionsOf& options_of, const AdamW& options) {
  return std::make_unique<AdamWOptimizer>(parameters, std::move(pieces), options_of, options);
}

std::unique_ptr<Optimizer> make_sgd(FlatParameters& parameters, std::vector<Piece> pieces,
                                    const OptionsOf& options_of, const Sgd& options) {
  return std::make_unique<SgdOptimizer>(parameters, std::move(pieces), options_of, options);
}

double clip_factor(double norm, double limit) {
  return limit > 0.0 && norm > limit ? limit / (norm + 1e-6) : 1.0;
}

}  // namespace ty
