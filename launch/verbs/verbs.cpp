#include "launch/verbs/verbs.h"

namespace ty {

std::span<const Verb> verbs() {
  static const std::vector<Verb> kVerbs = {
      train_verb(),  eval_verb(),    statistics_verb(), generate_verb(), compress_verb(),
      plan_verb(),   inspect_verb(), bench_verb(),      data_verb(),     import_verb(),
      export_verb(), config_verb(),  launch_verb(),     doctor_verb(),
  };
  return kVerbs;
}

}  // namespace ty
