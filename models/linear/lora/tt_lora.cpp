#include "models/linear/lora/tt_lora.h"

#include "core/autograd/graph.h"
#include "core/base/error.h"
#include "core/base/random.h"
#include "core/ops/elementwise.h"
#include "models/linear/base/pass.h"

namespace ty {

namespace {

// Two layers side by side, each of which shares its work as is best for it.
class TtLora final : public Linear {
 public:
  TtLora(const Scope& scope, const LinearShape& shape, const LoraSpec& spec, Split split,
         const Sharing& sharing)
      : options_(spec.options),
        is_inside_(sharing.is_divided() && split == Split::in),
        sharing_(sharing),
        site_(site_id(scope.path() + ".lora.dropout")) {
    Sharing own = sharing;
    own.layout = LinearLayout::automatic;
    base_ = ty::make_linear(scope, shape, spec.of, split, own);
    LinearShape bare = shape;
    bare.bias = false;
    const TtmSpec train = train_beside(options_, shape);
    const Scope place = scope.child("lora");
    train_ = ty::make_linear(place, bare, LinearSpec(train), split, own);
    const std::string last = fmt::format("{}.core{}", place.path(), train.in.size());
    Parameter* core = scope.store().find(last);
    TY_CHECK(core != nullptr, "{} is missing", last);
    core->init.kind = Init::Kind::constant;  // its rate and place in the chain remain
    core->init.value = 0.0;
  }

  Tensor apply(const Tensor& x) const override { return forward_in(x, {}); }
  Tensor forward_in(const Tensor& x, const LinearPass& pass) const override {
    return add(base_->forward_in(x, pass), change_of(x, pass));
  }
  Tensor dense_weight() const override {
    const NoGrad no_grad;
    return add(base_->dense_weight(), scale(train_->dense_weight(), options_.scale()));
  }
  void begin_step() override {
    base_->begin_step();
    train_->begin_step();
  }
  void end_step() override {
    train_->end_step();
    base_->end_step();
  }

 private:
  Tensor change_of(const Tensor& x, LinearPass pass) const {
    const Share share = {sharing_.tensor.rank(), sharing_.ranks()};
    if (!is_inside_ && sharing_.has_own_rows()) pass.rows = share;
    const Tensor kept = drop(x, options_.dropout, site_, pass, is_inside_ ? share : Share());
    return scale(train_->forward_in(kept, pass), options_.scale());
  }

  LoraOptions options_;
  bool is_inside_;
  Sharing sharing_;
  std::uint64_t site_;
  std::unique_ptr<Linear> base_, train_;
};

}  // namespace

TtmSpec train_beside(const LoraOptions& options, const LinearShape& shape) {
  return resolved(TtmSpec{.cores = options.cores, .rank = options.rank, .clip_ranks = true}, shape);
}

std::unique_ptr<Linear> make_tt_lora(const Scope& scope, const LinearShape& shape,
                                     const LoraSpec& spec, Split split, const Sharing& sharing) {
  return std::make_unique<TtLora>(scope, shape, spec, split, sharing);
}

}  // namespace ty
