// Adapters in the public library's form, as export writes and import reads them.
#pragma once

#include "launch/cli/arguments.h"
#include "models/huggingface/stored_model.h"

namespace ty {

extern const OptionSpec kAdaptersOption;      // of export
extern const OptionSpec kAdaptersBaseOption;  // of export
extern const OptionSpec kImportBaseOption;    // of import

// export MODEL OUT --adapters: `source` is what the first word denotes.
void export_adapters(const Arguments& arguments, const StoredModel& source, const Path& target);

// Whether the first word of import denotes adapters rather than a model.
bool imports_adapters(const Arguments& arguments);
// import ADAPTERS OUT: a model that has them. Returns the bytes written.
std::uint64_t import_adapters(const Arguments& arguments, const Path& target);

}  // namespace ty
