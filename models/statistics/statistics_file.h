// Statistics of a model's linear layers in one safetensors file, beside the model.
//
//   PATH.fisher      F32 [in, out]      PATH: the layer's, as blocks.0.mlp.up
//   PATH.gram        F64 [in, in]
//   PATH.mean_input  F32 [in]
//   PATH.max_input   F32 [in]
//   PATH.lora_rows, PATH.lora_columns   F64 [in], [out]
//   PART.heads, PART.channels           F64 [heads], [inner]: scores of a block's parts, as
//   blocks.0.attn
//                                       (group_scores.h)
//
// Metadata: trainyard = "statistics 1", examples, fisher ("examples" or "batches"), batch, loss,
// data, data_hash.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/io/safetensors.h"
#include "models/linear/rules.h"
#include "models/statistics/group_scores.h"
#include "models/statistics/statistics.h"

namespace ty {

// Where the statistics of a model directory DIR are: DIR.statistics.safetensors, beside it. (What
// is in a checkpoint is listed in its manifest.)
Path statistics_path(const Path& model);

// Whether a file with this metadata says that it is one of statistics.
bool is_statistics(const std::map<std::string, std::string>& metadata);

// Gives the statistics of one kind of a layer; asked once for each tensor.
using GiveStatistics = std::function<LayerStatistics(const std::string& path, StatisticKind kind)>;

// Replaces the file as a whole: of each layer those kinds that it can have. Returns the bytes
// written.
std::uint64_t write_statistics(const Path& path, const std::vector<LinearSite>& layers,
                               StatisticKinds kinds, const StatisticsOrigin& origin,
                               const GiveStatistics& give,
                               const std::vector<GroupScores>& groups = {});

class StatisticsFile {
 public:
  // Throws DataError unless it is such a file.
  explicit StatisticsFile(const Path& path);

  const Path& path() const { return file_.path(); }
  const StatisticsOrigin& origin() const { return origin_; }
  bool has(const std::string& path, StatisticKind kind) const;
  // Throws DataError that names the file, the layer and what to do unless it holds these kinds of
  // the layer, in its sizes.
  void check(const LinearSite& site, StatisticKinds wanted) const;
  // All kinds that it has of a layer. Throws as check() does, and DataError for numbers that cannot
  // be: not finite, or a square below 0.
  LayerStatistics read(const LinearSite& site) const;
  // The scores of heads and channels that it has, by path.
  std::vector<GroupScores> groups() const;

 private:
  void check_shape(const LinearSite& site, const std::string& tensor, const Shape& wanted) const;
  std::vector<double> values(const std::string& tensor) const;

  SafetensorsFile file_;
  StatisticsOrigin origin_;
};

}  // namespace ty
