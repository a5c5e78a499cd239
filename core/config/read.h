// Fills a config struct from a tree, following its field list.
#pragma once

#include "core/config/fields.h"

namespace ty::config {

// Reads every stated key into the struct, then runs the check of each section that has no other
// error. Errors are added to `diagnostics`; `file` is the place of errors that belong to no stated
// key, and `prefix` (dotted) is put before the keys. Returns where each key was stated.
Origins read(const Node& root, const Section& section, const Place& file, Diagnostics& diagnostics,
             const std::string& prefix = "");

}  // namespace ty::config
