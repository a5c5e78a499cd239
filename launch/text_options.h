// How texts are to be read: as a job file or a verb's options say. What the content of a file
// decides instead is said on stderr.
#pragma once

#include "core/data/text_source.h"
#include "launch/job_config.h"
#include "launch/verb.h"

namespace ty {

TextOptions text_options(const DataSection& data);
// Of --text-key, --column and --header.
TextOptions text_options(const Arguments& arguments);
// The same without a word on stderr, for a second reading.
TextOptions quietly(TextOptions options);

}  // namespace ty
