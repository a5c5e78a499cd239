// Which scores each task of GLUE has (A. Wang et al., GLUE: A Multi-Task Benchmark and Analysis
// Platform for Natural Language Understanding, 2018), and how nine tasks become one number.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ty {

enum class Metric : std::uint8_t { accuracy, f1, matthews, pearson, spearman };

// "accuracy", "f1", "matthews_correlation", "pearson", "spearman".
std::string_view name_of(Metric metric);

struct GlueTask {
  std::string_view name;                   // "mrpc"
  std::vector<Metric> metrics;             // f1: of class 1
  std::vector<std::string_view> sets{""};  // evaluated apart: "matched", "mismatched" of mnli
};
// All nine, in the order of the public benchmark.
std::span<const GlueTask> glue_tasks();

struct GlueResult {
  std::string task;
  std::vector<double> values;  // metrics of the first set, then of the next
};
// Mean over the nine tasks of the mean of each task's values, as the public leader board has it: so
// a task with two metrics or two sets weighs no more than another. Throws InternalError unless
// there is one result of each task with all of its values.
double glue_average(std::span<const GlueResult> results);

}  // namespace ty
