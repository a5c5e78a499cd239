#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/base/error.h"
#include "core/io/json.h"
#include "launch/inspect/inspection.h"
#include "launch/report/group_table.h"
#include "launch/report/text.h"
#include "models/statistics/statistics_file.h"

namespace ty {

namespace {

std::size_t digits_at(std::string_view text, std::size_t i) {
  std::size_t end = i;
  while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
  return end - i;
}

// Order in which h.2 comes before h.10.
bool natural_less(std::string_view a, std::string_view b) {
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (a[i] == b[i]) continue;
    const std::size_t x = digits_at(a, i), y = digits_at(b, i);
    return x > 0 && y > 0 && x != y ? x < y : a[i] < b[i];
  }
  return a.size() < b.size();
}

// The name as it is unless that would upset a terminal.
std::string shown(const std::string& name) {
  const bool plain =
      std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 127; });
  return plain && name.size() <= 100 ? name : in_quotes(name);
}

std::string dtype_of(const StoredTensor& tensor) {
  const std::optional<DType> dtype = tensor.dtype();
  return dtype ? std::string(name_of(*dtype)) : tensor.dtype_name;
}

struct Total {
  std::int64_t tensors = 0, numbers = 0;
  std::uint64_t bytes = 0;
};

}  // namespace

void add_tensors(Inspection& result, const TensorSet& tensors) {
  std::vector<std::string> names = tensors.names();
  std::sort(names.begin(), names.end(), natural_less);
  Table table({"tensor", "shape", "dtype", "bytes"});
  nlohmann::json list = nlohmann::json::array();
  std::map<std::string, Total> totals;
  std::uint64_t bytes = 0;
  for (const std::string& name : names) {
    const StoredTensor& tensor = tensors.tensor(name);
    const std::uint64_t size = tensor.end - tensor.begin;
    const std::string dtype = dtype_of(tensor);
    table.add({shown(name), tensor.shape.str(), dtype, human_bytes(static_cast<double>(size))});
    list.push_back({{"name", name},
                    {"shape", std::vector(tensor.shape.begin(), tensor.shape.end())},
                    {"dtype", dtype},
                    {"bytes", size}});
    Total& total = totals[dtype];
    ++total.tensors;
    total.numbers += tensor.shape.numel();
    total.bytes += size;
    bytes += size;
  }
  Table sums({"dtype", "tensors", "numbers", "bytes"});
  for (const auto& [dtype, total] : totals) {
    sums.add({dtype, std::to_string(total.tensors), count_with_digits(total.numbers),
              human_bytes(static_cast<double>(total.bytes))});
    result.facts["dtypes"][dtype] = {
        {"tensors", total.tensors}, {"numbers", total.numbers}, {"bytes", total.bytes}};
  }
  result.facts["tensors"] = std::move(list);
  result.facts["bytes"] = bytes;
  result.text += fmt::format("\n{}\n{}", table.str(), sums.str());
}

namespace {

// Of the statistics of a model: the scores of its heads and channels, if it has them.
void add_groups(Inspection& result, const Path& file,
                const std::map<std::string, std::string>& metadata) {
  if (!is_statistics(metadata)) return;
  const std::vector<GroupScores> groups = StatisticsFile(file).groups();
  if (groups.empty()) return;
  result.facts["groups"] = to_json(groups);
  result.text += "\n" + format_groups(groups);
}

}  // namespace

Inspection inspect_tensors(const Path& file) {
  Inspection result;
  try {
    const TensorSet tensors = open_tensors(file);
    for (const auto& [key, value] : tensors.metadata()) result.line(key, in_quotes(value));
    result.facts["metadata"] = tensors.metadata();
    add_tensors(result, tensors);
    add_groups(result, file, tensors.metadata());
  } catch (const DataError& error) {
    result.fault(error.what());
  }
  return result;
}

}  // namespace ty
