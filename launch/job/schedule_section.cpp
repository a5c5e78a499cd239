#include "launch/job/schedule_section.h"

#include "launch/job/limits.h"

namespace ty {

using config::at_least;
using config::between;
using config::Fields;

void fields(Fields& f, ScheduleSection& s) {
  f.field("name", s.name, "how the learning rate goes on after warm-up",
          {{"constant", LearningRateKind::constant},
           {"linear", LearningRateKind::linear},
           {"cosine", LearningRateKind::cosine},
           {"wsd", LearningRateKind::wsd}});
  f.field("warmup", s.warmup, "steps of linear growth to optim.lr", between(0, kMostSteps));
  f.when("name", s.name != LearningRateKind::constant, "with a name other than constant",
         [&] { f.field("min_lr", s.min_lr, "learning rate of the last step", at_least(0)); });
  f.when("name", s.name == LearningRateKind::wsd, "with name: wsd", [&] {
    f.field("decay", s.decay, "steps of the final decay to min_lr", between(0, kMostSteps));
  });
}

}  // namespace ty
