// The linear layer of the ttm kind, and of kinds whose weight is a train of other parameters.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "models/linear/ttm/ttm.h"
#include "models/linear/ttm/ttm_function.h"

namespace ty {

// A rank's part of a layer: of the first mode of the side that lies inside.
TtmLayer own_layer(TtmLayer layer, Split split, int ranks);

// Declares what a layer's cores are made of, as ranks share it (below).
class TtmScope {
 public:
  TtmScope(const Scope& scope, Split split, const Sharing& sharing)
      : scope_(scope), split_(split), sharing_(sharing) {}
  // Core 1 of `whole` [1, I_1, J_1, R_1], or this rank's part of it.
  const Parameter& first(const std::string& name, const TtmShape& whole, const Init& init) const;
  // A parameter of which every rank has all.
  const Parameter& other(const std::string& name, Shape shape, const Init& init) const;
  // core1, core2, .. of `whole` as they are.
  std::vector<const Parameter*> cores(const TtmShape& whole, const std::vector<Init>& inits) const;

 private:
  const Scope& scope_;
  Split split_;
  const Sharing& sharing_;
};

std::vector<Tensor> values_of(const std::vector<const Parameter*>& parameters);

// Shared by ranks, the first core is divided along the mode that lies inside and the others are
// whole on every rank: a rank's part of the cores is a tensor train of its part of W.
//
//   out, 2 ranks:  W [I1 I2, J1 J2] ~ core1 [1, I1, J1, R] core2 [R, I2, J2, 1]
//                  rank 0: core1[:, :, :J1/2, :] and core2 make columns [0, J1 J2 / 2) of W
class TtmLinear final : public Linear {
 public:
  // Gives this rank's cores [R_{k-1}, I_k, J_k, R_k], with a graph behind those that are made from
  // other parameters; called once per use.
  using Cores = std::function<std::vector<Tensor>()>;

  // Declares bias [out] or this rank's part of it; obstacle_to() has none for a split other than
  // none.
  TtmLinear(const Scope& scope, const LinearShape& shape, const TtmShape& whole, Cores cores,
            Split split, const Sharing& sharing);
  Tensor enter(const Tensor& x) const override;
  Tensor apply(const Tensor& x) const override;
  Tensor dense_weight() const override;
  void begin_step() override;
  void end_step() override;

 private:
  Tensor product(const Tensor& x, const Tensor& bias, InReplay result) const;
  // The plan for x [.., in] on its device; chosen once for each number of rows.
  const TtmPlan& plan_for(const Tensor& x) const;

  Split split_;
  Sharing sharing_;
  TtmLayer layer_;  // this rank's part
  Cores cores_;
  const Parameter* bias_;
  Tensor shared_weight_;  // W [in, out] between begin_step() and end_step()
  mutable std::map<std::int64_t, TtmPlan> plans_;
};

}  // namespace ty
