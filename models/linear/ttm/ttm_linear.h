// The linear layer of the ttm kind.
#pragma once

#include <map>
#include <vector>

#include "models/linear/ttm/ttm.h"
#include "models/linear/ttm/ttm_function.h"

namespace ty {

// A rank's part of a layer: of the first mode of the side that lies inside.
TtmLayer own_layer(TtmLayer layer, Split split, int ranks);

// Shared by ranks, the first core is divided along the mode that lies inside and the others are
// whole on every rank: a rank's part of the cores is a tensor train of its part of W.
//
//   out, 2 ranks:  W [I1 I2, J1 J2] ~ core1 [1, I1, J1, R] core2 [R, I2, J2, 1]
//                  rank 0: core1[:, :, :J1/2, :] and core2 make columns [0, J1 J2 / 2) of W
class TtmLinear final : public Linear {
 public:
  // Parameters core1 .. coreN [R_{k-1}, I_k, J_k, R_k] and bias [out], or this rank's parts of
  // them; obstacle_to() has none for a split other than none.
  TtmLinear(const Scope& scope, const LinearShape& shape, const TtmSpec& spec, Split split,
            const Sharing& sharing);
  Tensor enter(const Tensor& x) const override;
  Tensor apply(const Tensor& x) const override;
  Tensor dense_weight() const override;
  void begin_step() override;
  void end_step() override;

 private:
  std::vector<Tensor> cores() const;
  Tensor product(const Tensor& x, const Tensor& bias, InReplay result) const;
  // The plan for x [.., in] on its device; chosen once for each number of rows.
  const TtmPlan& plan_for(const Tensor& x) const;

  Split split_;
  Sharing sharing_;
  TtmLayer layer_;  // this rank's part
  std::vector<const Parameter*> cores_;
  const Parameter* bias_;
  Tensor shared_weight_;  // W [in, out] between begin_step() and end_step()
  mutable std::map<std::int64_t, TtmPlan> plans_;
};

}  // namespace ty
