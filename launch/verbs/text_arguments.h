// How texts are to be read, by the options of a verb.
#pragma once

#include "core/data/text_source.h"
#include "launch/cli/arguments.h"

namespace ty {

// From --text-key, --column and --header. Decisions taken from the content of a file are reported
// on stderr.
TextOptions text_options(const Arguments& arguments);

}  // namespace ty
