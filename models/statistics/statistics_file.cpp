#include "models/statistics/statistics_file.h"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "core/base/error.h"
#include "core/base/host_copy.h"

namespace ty {

namespace {

constexpr const char* kFormatKey = "trainyard";
constexpr const char* kFormat = "statistics 1";

constexpr std::string_view name_of(FisherTerms terms) {
  return terms == FisherTerms::examples ? "examples" : "batches";
}

// One tensor per layer.
struct StoredStatistic {
  const char* name;
  StatisticKind kind;
  DType dtype;
  Shape (*shape)(const LinearShape&);
  std::vector<double> (*values)(LayerStatistics&&);
};

const std::array kStored = {
    StoredStatistic{"fisher", StatisticKind::fisher, DType::f32,
                    [](const LinearShape& s) {
                      return Shape{s.in, s.out};
                    },
                    [](LayerStatistics&& l) { return std::move(l.fisher.data); }},
    StoredStatistic{"gram", StatisticKind::gram, DType::f64,
                    [](const LinearShape& s) {
                      return Shape{s.in, s.in};
                    },
                    [](LayerStatistics&& l) { return std::move(l.gram.data); }},
    StoredStatistic{"mean_input", StatisticKind::inputs, DType::f32,
                    [](const LinearShape& s) { return Shape{s.in}; },
                    [](LayerStatistics&& l) { return std::move(l.mean_input); }},
    StoredStatistic{"max_input", StatisticKind::inputs, DType::f32,
                    [](const LinearShape& s) { return Shape{s.in}; },
                    [](LayerStatistics&& l) { return std::move(l.max_input); }},
    StoredStatistic{"lora_rows", StatisticKind::lora, DType::f64,
                    [](const LinearShape& s) { return Shape{s.in}; },
                    [](LayerStatistics&& l) { return std::move(l.lora_rows); }},
    StoredStatistic{"lora_columns", StatisticKind::lora, DType::f64,
                    [](const LinearShape& s) { return Shape{s.out}; },
                    [](LayerStatistics&& l) { return std::move(l.lora_columns); }},
};

std::string tensor_name(std::string_view path, std::string_view name) {
  return fmt::format("{}.{}", path, name);
}

std::map<std::string, std::string> metadata_of(const StatisticsOrigin& origin) {
  return {{kFormatKey, kFormat},
          {"examples", std::to_string(origin.examples)},
          {"fisher", std::string(name_of(origin.fisher))},
          {"batch", std::to_string(origin.batch)},
          {"loss", origin.loss},
          {"data", origin.data},
          {"data_hash", origin.data_hash},
          {"model_hash", origin.model_hash}};
}

// Throws DataError if the metadata is not of such a file.
StatisticsOrigin origin_in(const std::map<std::string, std::string>& metadata, const Path& path) {
  const auto text = [&](const char* key) {
    const auto found = metadata.find(key);
    return found == metadata.end() ? std::string() : found->second;
  };
  if (text(kFormatKey) != kFormat) {
    throw DataError(
        "{}: holds no statistics ({} = \"{}\" in its metadata; want \"{}\"); make them "
        "with: trainyard statistics MODEL --data FILE",
        path.string(), kFormatKey, text(kFormatKey), kFormat);
  }
  const auto count = [&](const char* key) {
    std::int64_t value = -1;
    const std::string digits = text(key);
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (value >= 0) return value;
    throw DataError("{}: metadata: {} = \"{}\"; want a number", path.string(), key, digits);
  };
  const FisherTerms terms = text("fisher") == name_of(FisherTerms::batches) ? FisherTerms::batches
                                                                            : FisherTerms::examples;
  return {.examples = count("examples"),
          .fisher = terms,
          .batch = count("batch"),
          .loss = text("loss"),
          .data = text("data"),
          .data_hash = text("data_hash"),
          .model_hash = text("model_hash")};
}

// A Gram matrix is symmetric, and |g_ij| <= sqrt(g_ii g_jj), up to rounding.
void check_gram(const Matrix& gram, const std::string& place) {
  constexpr double kRounding = 1e-3;  // of fp32 sums
  for (std::int64_t i = 0; i < gram.rows; ++i) {
    for (std::int64_t j = 0; j <= i; ++j) {
      const double value = gram(i, j), other = gram(j, i);
      const double most =
          std::sqrt(std::max(gram(i, i), 0.0)) * std::sqrt(std::max(gram(j, j), 0.0));
      const bool is_good =
          std::abs(value) <= most * (1 + kRounding) && std::abs(value - other) <= kRounding * most;
      if (is_good) continue;
      throw DataError("{}: holds {} at [{}, {}] and {} at [{}, {}]; x^T x has at most {:.6g} there",
                      place, value, i, j, other, j, i, most);
    }
  }
}

}  // namespace

Path statistics_path(const Path& model) {
  return std::filesystem::weakly_canonical(model).string() + ".statistics.safetensors";
}

bool is_statistics(const std::map<std::string, std::string>& metadata) {
  const auto found = metadata.find(kFormatKey);
  return found != metadata.end() && found->second == kFormat;
}

std::uint64_t write_statistics(const Path& path, const std::vector<LinearSite>& layers,
                               StatisticKinds kinds, const StatisticsOrigin& origin,
                               const GiveStatistics& give, const std::vector<GroupScores>& groups) {
  std::vector<TensorInfo> infos;
  std::map<std::string, std::function<std::vector<double>()>> values_of;
  for (const LinearSite& site : layers) {
    const StatisticKinds own = possible_kinds(site, kinds);
    for (const StoredStatistic& stored : kStored) {
      if (!own.has(stored.kind)) continue;
      const std::string name = tensor_name(site.path, stored.name);
      infos.push_back({name, stored.dtype, stored.shape(site.shape)});
      values_of[name] = [&] { return stored.values(give(site.path, stored.kind)); };
    }
  }
  for (const GroupScores& part : groups) {
    const std::string name = tensor_name(part.path, part.groups);
    infos.push_back({name, DType::f64, {std::ssize(part.scores)}});
    values_of[name] = [&] { return part.scores; };
  }
  const Path unfinished = path.string() + ".tmp";
  FileWriter out(unfinished);
  SafetensorsWriter writer(out, std::move(infos), metadata_of(origin));
  for (const TensorInfo& info : writer.order()) {
    std::vector<double> values = values_of.at(info.name)();
    std::vector<std::byte> bytes(values.size() * size_of(info.dtype));
    const View narrow = contiguous_view(bytes.data(), info.dtype, info.shape);
    host_copy(contiguous_view(values.data(), DType::f64, info.shape), narrow);
    writer.append(narrow);
  }
  writer.finish();
  const FileSummary written = out.finish();
  rename_path(unfinished, path);
  return written.size;
}

StatisticsFile::StatisticsFile(const Path& path)
    : file_(path), origin_(origin_in(file_.metadata(), path)) {}

bool StatisticsFile::has(const std::string& path, StatisticKind kind) const {
  for (const StoredStatistic& stored : kStored) {
    if (stored.kind == kind && !file_.contains(tensor_name(path, stored.name))) return false;
  }
  return true;
}

void StatisticsFile::check(const LinearSite& site, StatisticKinds wanted) const {
  for (const StatisticKind kind : kStatisticKinds) {
    if (wanted.has(kind) && !has(site.path, kind)) {
      throw DataError(
          "{}: has no {} of {}; make it with: trainyard statistics MODEL --data FILE "
          "--kind {}",
          path().string(), ty::name_of(kind), site.path, ty::name_of(kind));
    }
  }
  for (const StoredStatistic& stored : kStored) {
    const std::string name = tensor_name(site.path, stored.name);
    if (file_.contains(name)) check_shape(site, name, stored.shape(site.shape));
  }
}

void StatisticsFile::check_shape(const LinearSite& site, const std::string& tensor,
                                 const Shape& wanted) const {
  const Shape& found = file_.tensor(tensor).shape;
  if (found == wanted) return;
  throw DataError(
      "{}: tensor {}: {}; the layer {} [{}, {}] wants {}; these are the statistics of "
      "another model",
      path().string(), tensor, found.str(), site.path, site.shape.in, site.shape.out, wanted.str());
}

std::vector<double> StatisticsFile::values(const std::string& tensor) const {
  const View view = file_.view(tensor);
  std::vector<double> wide(static_cast<std::size_t>(view.numel()));
  host_copy(view, contiguous_view(wide.data(), DType::f64, view.shape));
  file_.forget(tensor);
  const bool may_be_negative = tensor.ends_with(".gram");
  for (const double value : wide) {
    if (std::isfinite(value) && (may_be_negative || value >= 0)) continue;
    throw DataError("{}: tensor {}: holds {}; want finite numbers{}", path().string(), tensor,
                    value, may_be_negative ? "" : " of 0 or more");
  }
  return wide;
}

LayerStatistics StatisticsFile::read(const LinearSite& site) const {
  check(site, {});
  const auto of = [&](const char* name) { return values(tensor_name(site.path, name)); };
  const std::int64_t in = site.shape.in, out = site.shape.out;
  LayerStatistics result;
  if (has(site.path, StatisticKind::fisher)) result.fisher = Matrix(in, out, of("fisher"));
  if (has(site.path, StatisticKind::gram)) {
    result.gram = Matrix(in, in, of("gram"));
    check_gram(result.gram, path().string() + ": tensor " + tensor_name(site.path, "gram"));
  }
  if (has(site.path, StatisticKind::inputs)) {
    result.mean_input = of("mean_input");
    result.max_input = of("max_input");
  }
  if (has(site.path, StatisticKind::lora)) {
    result.lora_rows = of("lora_rows");
    result.lora_columns = of("lora_columns");
  }
  return result;
}

std::vector<GroupScores> StatisticsFile::groups() const {
  std::vector<GroupScores> all;
  for (const StoredTensor& tensor : file_.tensors()) {
    for (const std::string_view groups : {kHeads, kChannels}) {
      const std::string end = tensor_name("", groups);
      if (!tensor.name.ends_with(end)) continue;
      all.push_back(
          {tensor.name.substr(0, tensor.name.size() - end.size()), groups, values(tensor.name)});
    }
  }
  return all;
}

}  // namespace ty
