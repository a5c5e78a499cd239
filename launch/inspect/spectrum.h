// The spectra of a model's linear layers: how many ranks hold how much of each weight, and of what
// goes into it; and which part of them the model needs.
#pragma once

#include <functional>
#include <string>

#include "core/io/file.h"
#include "launch/inspect/group_test.h"
#include "launch/inspect/inspection.h"

namespace ty {

struct SpectrumOptions {
  Path statistics;                    // with Gram matrices of inputs; empty: none
  Path svg;                           // to write; empty: none
  const GroupTestOptions* test = {};  // null: none
  std::function<void(const std::string& doing)> progress = [](const std::string&) {};
};

// Of every linear layer of a run, checkpoint or model directory, whatever it is made of: a table,
// and facts `spectrum` with a list of layers, and `group_test`. Throws as find_model(),
// StoredModel, StatisticsFile and run_group_test() do.
Inspection inspect_spectrum(const Path& path, const SpectrumOptions& options);

}  // namespace ty
