// How a verb's options say that texts are to be read.
#pragma once

#include "core/data/text_source.h"
#include "launch/cli/arguments.h"

namespace ty {

// Of --text-key, --column and --header. What the content of a file decides instead is said on
// stderr.
TextOptions text_options(const Arguments& arguments);

}  // namespace ty
