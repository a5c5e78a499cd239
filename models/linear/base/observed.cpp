#include "models/linear/base/observed.h"

#include <utility>

namespace ty {

namespace {

class Observed final : public Linear {
 public:
  Observed(std::string path, std::unique_ptr<Linear> layer, LinearObserver& observer)
      : path_(std::move(path)), layer_(std::move(layer)), observer_(observer) {}

  Tensor forward(const Tensor& x) const override { return watch(x, layer_->forward(x)); }
  Tensor forward_in(const Tensor& x, const LinearPass& pass) const override {
    return watch(x, layer_->forward_in(x, pass));
  }
  Tensor enter(const Tensor& x) const override { return layer_->enter(x); }
  Tensor apply(const Tensor& entered) const override {
    return watch(entered, layer_->apply(entered));
  }
  Tensor dense_weight() const override { return layer_->dense_weight(); }
  void begin_step() override { layer_->begin_step(); }
  void end_step() override { layer_->end_step(); }

 private:
  // y itself, with a node behind it that passes its gradient on. The second input is a leaf that
  // gets none: it makes backward come here where all weights are constants.
  Tensor watch(const Tensor& x, const Tensor& y) const {
    if (!grad_enabled()) return y;
    const Tensor anchor = make_leaf(Tensor::empty(y.backend(), {1}, y.dtype()));
    return record("observed", y.detach(), {y, anchor},
                  [this, x = saved(x.detach())](const Tensor& dy) {
                    observer_.seen(path_, *layer_, *x, dy);
                    return Grads{dy, Gradient()};
                  });
  }

  std::string path_;
  std::unique_ptr<Linear> layer_;
  LinearObserver& observer_;
};

}  // namespace

std::unique_ptr<Linear> observed(std::string path, std::unique_ptr<Linear> layer,
                                 LinearObserver& observer) {
  return std::make_unique<Observed>(std::move(path), std::move(layer), observer);
}

}  // namespace ty
