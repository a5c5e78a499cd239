#include "launch/job/optim_section.h"

namespace ty {

using config::at_least;
using config::Fields;
using config::positive;

void fields(Fields& f, OptimSection& s) {
  f.field("name", s.name, "optimizer",
          {{"adamw", OptimizerKind::adamw}, {"sgd", OptimizerKind::sgd}});
  f.field("lr", s.lr, "peak learning rate", positive());
  f.field("weight_decay", s.weight_decay, "decoupled from the gradient", at_least(0));
  f.field("no_decay", s.no_decay, "patterns of parameter names that do not decay");
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
