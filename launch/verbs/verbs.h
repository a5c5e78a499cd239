// All verbs; each is defined in the file named after it, except import, which is beside export.
#pragma once

#include "launch/cli/verb.h"

namespace ty {

const Verb& train_verb();
const Verb& eval_verb();
const Verb& statistics_verb();
const Verb& generate_verb();
const Verb& compress_verb();
const Verb& plan_verb();
const Verb& inspect_verb();
const Verb& bench_verb();
const Verb& data_verb();
const Verb& import_verb();
const Verb& export_verb();
const Verb& config_verb();
const Verb& launch_verb();
const Verb& doctor_verb();

}  // namespace ty
