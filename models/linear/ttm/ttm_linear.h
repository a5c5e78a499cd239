// The linear layer of the ttm kind.
#pragma once

#include <map>
#include <vector>

#include "models/linear/ttm/ttm.h"
#include "models/linear/ttm/ttm_function.h"

namespace ty {

class TtmLinear final : public Linear {
 public:
  // Parameters core1 .. coreN [R_{k-1}, I_k, J_k, R_k] and bias [out].
  TtmLinear(const Scope& scope, const LinearShape& shape, const TtmSpec& spec);
  Tensor forward(const Tensor& x) const override;
  Tensor dense_weight() const override;
  void begin_step() override;
  void end_step() override;

 private:
  std::vector<Tensor> cores() const;
  // The plan for x [.., in] on its device; chosen once per number of rows.
  const TtmPlan& plan_for(const Tensor& x) const;

  TtmLayer map_;
  std::vector<const Parameter*> cores_;
  const Parameter* bias_;
  Tensor shared_weight_;  // W [in, out] between begin_step() and end_step()
  mutable std::map<std::int64_t, TtmPlan> plans_;
};

}  // namespace ty
