#include "launch/job/task_section.h"

namespace ty {

using config::at_least;
using config::Fields;

void fields(Fields& f, TaskSection& s) {
  f.field("kind", s.kind, "what is learned; causal_lm: the next token",
          {{"causal_lm", TaskKind::causal_lm}});
  f.field("label_smoothing", s.terms.label_smoothing,
          "share of each target that is spread evenly over the vocabulary; in the training loss, "
          "not in evaluation",
          at_least(0).below(1));
  f.field("z_loss", s.terms.z_loss,
          "factor of the squared log of the softmax's denominator; in the training loss, not in "
          "evaluation",
          at_least(0));
}

}  // namespace ty
