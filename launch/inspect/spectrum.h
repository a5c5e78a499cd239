// The spectra of a model's linear layers: how many ranks hold how much of each weight.
#pragma once

#include <functional>
#include <string>

#include "core/io/file.h"
#include "launch/inspect/inspection.h"

namespace ty {

// Of every linear layer of a run, checkpoint or model directory, whatever it is made of: a table,
// and facts `spectrum` with a list of layers. `progress` is called with each layer's path before
// it. Throws as find_model() and StoredModel do.
Inspection inspect_spectrum(const Path& path,
                            const std::function<void(const std::string& layer)>& progress);

}  // namespace ty
