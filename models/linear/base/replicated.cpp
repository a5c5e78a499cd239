#include "models/linear/base/replicated.h"

#include "core/base/error.h"
#include "core/ops/shape.h"
#include "models/linear/base/pass.h"
#include "parallel/tensor/region.h"

namespace ty {

namespace {

class Replicated : public Linear {
 public:
  Replicated(std::unique_ptr<Linear> whole, const Sharing& sharing)
      : whole_(std::move(whole)), sharing_(sharing) {}
  Tensor dense_weight() const override { return whole_->dense_weight(); }
  void begin_step() override { whole_->begin_step(); }
  void end_step() override { whole_->end_step(); }

 protected:
  LinearPass on_own_rows(LinearPass pass) const {
    if (sharing_.rows) pass.rows = {sharing_.tensor.rank(), sharing_.ranks()};
    return pass;
  }

  std::unique_ptr<Linear> whole_;
  Sharing sharing_;
};

class ReplicatedOut final : public Replicated {
 public:
  ReplicatedOut(std::unique_ptr<Linear> whole, const Sharing& sharing, std::int64_t out)
      : Replicated(std::move(whole), sharing),
        first_(own_part(0, out, sharing).first),
        count_(own_count(out, sharing)) {}
  Tensor forward(const Tensor& x) const override { return forward_in(x, {}); }
  Tensor forward_in(const Tensor& x, const LinearPass& pass) const override {
    if (!sharing_.rows) return own_columns(whole_->forward_in(entered(x), pass));
    return rows_to_columns(whole_->forward_in(x, on_own_rows(pass)), sharing_.tensor);
  }
  // Canonical: not terms of the gradient of x add up over the ranks but own columns of that of y,
  // and backward is the same for all.
  Tensor enter(const Tensor& x) const override { return entered(x); }
  Tensor apply(const Tensor& entered) const override {
    return own_columns(whole_->forward(entered));
  }

 private:
  Tensor entered(const Tensor& x) const {
    return sharing_.is_canonical() ? x : ty::enter(x, sharing_);
  }
  Tensor own_columns(const Tensor& y) const {
    const Tensor all = sharing_.is_canonical() ? ty::enter(y, sharing_) : y;
    return contiguous(narrow(all, all.rank() - 1, first_, count_));
  }

  std::int64_t first_, count_;
};

class ReplicatedIn final : public Replicated {
 public:
  using Replicated::Replicated;
  Tensor apply(const Tensor& x) const override { return forward_in(x, {}); }
  Tensor forward_in(const Tensor& x, const LinearPass& pass) const override {
    const Tensor all = sharing_.rows ? columns_to_rows(x, sharing_.tensor)
                                     : all_gather_columns(x, sharing_.tensor);
    return whole_->forward_in(all, on_own_rows(pass));
  }
};

}  // namespace

std::string obstacle_to_whole(const LinearShape& shape, Split split, const Sharing& sharing) {
  const bool in = split == Split::in;
  const std::int64_t inside = in ? shape.in : shape.out;
  if (inside % sharing.ranks() == 0 || (!in && !sharing.rows)) return "";
  return fmt::format("its {} = {} cannot be divided over {} ranks", in ? "in" : "out", inside,
                     sharing.ranks());
}

std::unique_ptr<Linear> make_replicated(const Scope& scope, const LinearShape& shape, Split split,
                                        const Sharing& sharing, const MakeWhole& make_whole) {
  TY_CHECK(obstacle_to_whole(shape, split, sharing).empty(), "{}: {}", scope.path(),
           obstacle_to_whole(shape, split, sharing));
  if (split == Split::in) return std::make_unique<ReplicatedIn>(make_whole(scope), sharing);
  const Scope place = sharing.is_canonical() ? scope : scope.placing(placed_inside(sharing));
  return std::make_unique<ReplicatedOut>(make_whole(place), sharing, shape.out);
}

}  // namespace ty
