// The nine data sets of GLUE (A. Wang et al., 2018) in their public .tsv files.
//
// Rows that lack a column, of which the public files have some, are left out, as the usual loaders
// do. What the metrics of a task are: core/metrics/glue_score.h.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/data/tasks/examples.h"

namespace ty {

struct GlueData {
  std::string name;  // "cola"
  ExampleFormat format;
  std::vector<std::string> dev_files{"dev.tsv"};  // beside train.tsv
};

// In the order of the benchmark. Classes are in the order of the public `datasets` library.
std::span<const GlueData> glue_data();

// Throws ConfigError that lists the names if there is no such task.
const GlueData& glue_data_of(std::string_view name);

}  // namespace ty
