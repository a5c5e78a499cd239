#include "launch/job/optim_section.h"

namespace ty {

using config::at_least;
using config::Checks;
using config::Fields;
using config::positive;
using config::required;

void fields(Fields& f, OptimRule& rule) {
  f.field("match", rule.match, "pattern of parameter names, as in blocks.*.norm1.*", required());
  f.field("lr", rule.lr,
          "their peak learning rate, which follows the schedule in proportion; null: optim.lr, or "
          "an earlier rule's",
          at_least(0));
  f.field("weight_decay", rule.weight_decay,
          "theirs, whatever no_decay says; null: as without this rule", at_least(0));
}

void check(const OptimRule& rule, Checks& checks) {
  if (!rule.lr && !rule.weight_decay) {
    checks.fail("match", "says nothing of {}; state lr or weight_decay",
                config::shown(rule.match, true));
  }
}

void fields(Fields& f, OptimSection& s) {
  f.field("name", s.name, "optimizer",
          {{"adamw", OptimizerKind::adamw}, {"sgd", OptimizerKind::sgd}});
  f.field("lr", s.lr, "peak learning rate", positive());
  f.field("weight_decay", s.weight_decay, "decoupled from the gradient", at_least(0));
  f.field("no_decay", s.no_decay, "patterns of parameter names that do not decay");
  f.field("freeze", s.freeze,
          "patterns of parameter names that are not trained: no gradient, no optimizer state");
  f.field("train", s.train,
          "patterns of parameter names that are trained, whatever freeze says and adapters mean");
  f.field("rules", s.rules,
          "learning rate and weight decay of single parameters; of each key, the last rule that "
          "matches and states it");
  f.field("factor_rates", s.factor_rates,
          "learning rates of the factors of svd, lax, ttm, kronecker and btt layers; equal: lr; "
          "shape: lr times a number that each factor's sizes give, so that one lr serves dense and "
          "factorised layers; a rule that states lr has the last word",
          {{"equal", FactorRates::equal}, {"shape", FactorRates::shape}});
  f.field(
      "factor_steps", s.factor_steps,
      "how the factors of svd and lax layers move; free: as other weights; bounded: along their "
      "momentum, orthogonalised, so that the learning rate bounds the spectral norm of their "
      "product's step (sweep it from 0.01)",
      {{"free", FactorSteps::free}, {"bounded", FactorSteps::bounded}});
  f.field(
      "product_decay", s.product_decay,
      "weight decay of what the factors of svd, lax, ttm and kronecker layers multiply to, in "
      "place of weight_decay on each of them; no_decay and a rule that states weight_decay have "
      "the last word; null: each factor decays by itself",
      at_least(0));
  f.field(
      "factor_norm_cap", s.factor_norm_cap,
      "limit of the root mean square of each factor of svd, lax, ttm, kronecker and btt layers, "
      "in units of the one that init: normal gives it; scaled down to it before each update; "
      "null: none",
      positive());
  f.field("clip", s.clip, "limit of the global gradient norm; 0: none", at_least(0));
  f.when("name", s.name == OptimizerKind::adamw, "with name: adamw", [&] {
    f.field("betas", s.betas, "decay of the first and second moment",
            at_least(0).below(1).items(2));
    f.field("eps", s.eps, "added to the root of the second moment", positive());
  });
  f.when("name", s.name == OptimizerKind::sgd, "with name: sgd", [&] {
    f.field("momentum", s.momentum, "decay of the running gradient", at_least(0).below(1));
  });
}

}  // namespace ty
