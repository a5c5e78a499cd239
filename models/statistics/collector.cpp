#include "models/statistics/collector.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/base/error.h"
#include "models/statistics/adapter_importance.h"

namespace ty {

StatisticsSums::StatisticsSums(Backend& backend, const std::vector<LinearSite>& layers,
                               StatisticKinds kinds)
    : backend_(&backend) {
  for (const LinearSite& site : layers) {
    const std::int64_t in = site.shape.in, out = site.shape.out;
    LayerSums& sums = layers_[site.path];
    const StatisticKinds own = possible_kinds(site, kinds);
    const auto zeros = [&](const Shape& shape) {
      return Tensor::full(backend, shape, DType::f64, 0.0);
    };
    if (own.fisher) sums.fisher = zeros({in, out});
    if (own.gram) sums.gram = zeros({in, in});
    if (own.lora) sums.lora_rows = zeros({in}), sums.lora_columns = zeros({out});
    if (!own.inputs) continue;
    sums.input_sum.resize(static_cast<std::size_t>(in));
    sums.input_max.resize(static_cast<std::size_t>(in));
  }
}

void StatisticsSums::add(const StatisticsSums& other) {
  const auto add_tensor = [&](const Tensor& to, const Tensor& from) {
    if (to.defined()) backend_->axpby(to.view(), 1.0, from.view(), 1.0);
  };
  for (auto& [path, sums] : layers_) {
    const LayerSums& more = other.layers_.at(path);
    add_tensor(sums.fisher, more.fisher);
    add_tensor(sums.gram, more.gram);
    add_tensor(sums.lora_rows, more.lora_rows);
    add_tensor(sums.lora_columns, more.lora_columns);
    for (std::size_t i = 0; i < sums.input_sum.size(); ++i) {
      sums.input_sum[i] += more.input_sum[i];
      sums.input_max[i] = std::max(sums.input_max[i], more.input_max[i]);
    }
    sums.rows += more.rows;
  }
  terms += other.terms;
  loss += other.loss;
  targets += other.targets;
}

void StatisticsSums::add_over(const Group& data, Reduction reduction) {
  const Group tensors = data.on(*backend_);
  const auto host = [](std::vector<double>& values) {
    return contiguous_view(values.data(), DType::f64, {std::ssize(values)});
  };
  // Numbers of the host go through the backend for the sake of their order.
  const auto add_host = [&](std::vector<double>& values) {
    const Tensor there = Tensor::from<double>(*backend_, {std::ssize(values)}, values);
    sum_over(tensors, *backend_, there.view(), reduction);
    values = there.values<double>();
  };
  std::vector<double> counts = {terms, loss, targets};
  for (auto& [path, sums] : layers_) {
    for (const Tensor* sum : {&sums.fisher, &sums.gram, &sums.lora_rows, &sums.lora_columns}) {
      if (sum->defined()) sum_over(tensors, *backend_, sum->view(), reduction);
    }
    counts.push_back(sums.rows);
    if (sums.input_sum.empty()) continue;
    add_host(sums.input_sum);
    data.all_reduce(host(sums.input_max), ReduceOp::max).wait();
  }
  add_host(counts);
  terms = counts[0];
  loss = counts[1];
  targets = counts[2];
  auto count = counts.begin() + 3;
  for (auto& [path, sums] : layers_) sums.rows = *count++;
}

LayerStatistics finished(const StatisticsSums& sums, const std::string& path, StatisticKind kind) {
  const LayerSums& layer = sums.at(path);
  const auto divided = [](std::vector<double> values, double count) {
    for (double& value : values) value /= std::max(count, 1.0);
    return values;
  };
  const auto matrix = [&](const Tensor& sum, double count) {
    return Matrix(sum.dim(0), sum.dim(1), divided(sum.values<double>(), count));
  };
  LayerStatistics result;
  switch (kind) {
    case StatisticKind::fisher:
      result.fisher = matrix(layer.fisher, sums.terms);
      break;
    case StatisticKind::gram:
      result.gram = matrix(layer.gram, layer.rows);
      for (std::int64_t i = 0; i < result.gram.rows; ++i) {
        for (std::int64_t j = 0; j < i; ++j) result.gram(i, j) = result.gram(j, i);
      }
      break;
    case StatisticKind::inputs:
      result.mean_input = divided(layer.input_sum, layer.rows);
      result.max_input = layer.input_max;
      break;
    case StatisticKind::lora:
      result.lora_rows = divided(layer.lora_rows.values<double>(), sums.terms);
      result.lora_columns = divided(layer.lora_columns.values<double>(), sums.terms);
      break;
  }
  return result;
}

const SequenceRows& ExampleRows::of(const std::string& path) const {
  const bool reads_encoder = path.starts_with("encoder.") || path.ends_with(".cross.kv");
  return written.length == 0 || reads_encoder ? read : written;
}

namespace {

// A target per token: what has none at the end of a text is padding.
std::vector<std::int64_t> rows_up_to_last_target(const std::vector<std::int32_t>& targets,
                                                 std::int64_t length) {
  std::vector<std::int64_t> rows;
  for (auto first = targets.begin(); first != targets.end(); first += length) {
    const std::reverse_iterator last(first + length), end(first);
    const auto found = std::find_if(last, end, [](std::int32_t id) { return id >= 0; });
    rows.push_back(std::distance(found, end));
  }
  return rows;
}

std::vector<double> targets_of_each(const std::vector<std::int32_t>& targets, std::int64_t length) {
  std::vector<double> counts;
  for (auto first = targets.begin(); first != targets.end(); first += length) {
    counts.push_back(static_cast<double>(
        std::count_if(first, first + length, [](std::int32_t id) { return id >= 0; })));
  }
  return counts;
}

}  // namespace

ExampleRows rows_of_examples(const HostBatch& batch) {
  ExampleRows rows;
  rows.sequences = batch.sequences;
  const Column read = batch.has(Column::ids) ? Column::ids : Column::patches;
  rows.read.length = batch.at(read).row[0];
  rows.targets.assign(static_cast<std::size_t>(batch.sequences), 1.0);
  if (batch.has(Column::lengths)) {
    const std::vector<std::int32_t>& lengths = batch.at(Column::lengths).ids;
    rows.read.counted.assign(lengths.begin(), lengths.end());
  }
  if (!batch.has(Column::targets) || batch.at(Column::targets).row.rank() == 0) return rows;
  const HostColumn& targets = batch.at(Column::targets);
  rows.targets = targets_of_each(targets.ids, targets.row[0]);
  if (batch.has(Column::decoder_ids)) {
    rows.written = {targets.row[0], rows_up_to_last_target(targets.ids, targets.row[0])};
  } else if (!batch.has(Column::lengths)) {
    rows.read.counted = rows_up_to_last_target(targets.ids, targets.row[0]);
  }
  return rows;
}

StatisticsCollector::StatisticsCollector(Backend& backend, std::vector<LinearSite> layers,
                                         StatisticKinds kinds, FisherTerms fisher)
    : backend_(backend), layers_(std::move(layers)), kinds_(kinds), fisher_(fisher) {
  for (const LinearSite& site : layers_) seen_[site.path] = 0;
}

void StatisticsCollector::begin(StatisticsSums& sums, const ExampleRows& examples) {
  sums_ = &sums;
  examples_ = &examples;
  for (auto& [path, times] : seen_) times = 0;
}

void StatisticsCollector::end() {
  for (const auto& [path, times] : seen_) {
    TY_CHECK(times == 1, "{} was seen {} times in one backward", path, times);
  }
  sums_->terms += fisher_ == FisherTerms::batches ? 1 : static_cast<double>(examples_->sequences);
  sums_ = nullptr;
  examples_ = nullptr;
}

std::vector<GradientTerm> StatisticsCollector::terms(std::int64_t rows) const {
  const auto weight = [](double targets) { return 1.0 / std::max(targets, 1.0); };
  const std::vector<double>& targets = examples_->targets;
  if (fisher_ == FisherTerms::batches) {
    return {{{0, rows * examples_->sequences},
             weight(std::accumulate(targets.begin(), targets.end(), 0.0))}};
  }
  std::vector<GradientTerm> all;
  for (std::int64_t s = 0; s < examples_->sequences; ++s) {
    all.push_back({{s * rows, rows}, weight(targets[static_cast<std::size_t>(s)])});
  }
  return all;
}

Tensor StatisticsCollector::without_padding(const std::string& path, const Tensor& x,
                                            double& counted) const {
  const std::int64_t rows = x.dim(0) / examples_->sequences;
  const SequenceRows& own = examples_->of(path);
  const std::vector<std::int64_t>& lengths = own.counted;
  counted = static_cast<double>(x.dim(0));
  if (rows != own.length || lengths.empty()) return x;
  if (std::all_of(lengths.begin(), lengths.end(), [&](auto n) { return n == rows; })) return x;
  const Tensor result = Tensor::empty_like(x);
  backend_.copy(result.view(), x.view());
  counted = 0;
  for (std::int64_t s = 0; s < examples_->sequences; ++s) {
    const std::int64_t length = lengths[static_cast<std::size_t>(s)];
    backend_.fill(result.view().slice(0, s * rows + length, rows - length), 0.0);
    counted += static_cast<double>(length);
  }
  return result;
}

void StatisticsCollector::seen(const std::string& path, const Linear& layer, const Tensor& x,
                               const Tensor& dy) {
  TY_CHECK(sums_ != nullptr, "{} is seen outside of begin() and end()", path);
  ++seen_.at(path);
  LayerSums& sums = sums_->at(path);
  const Tensor whole_x = x.contiguous(), whole_dy = dy.contiguous();
  const Tensor rows_x = whole_x.alias(whole_x.view().as_rows());
  const View rows_dy = whole_dy.view().as_rows();
  TY_CHECK(rows_x.dim(0) % examples_->sequences == 0, "{} reads {} rows of {} examples", path,
           rows_x.dim(0), examples_->sequences);
  const std::vector<GradientTerm> gradients = terms(rows_x.dim(0) / examples_->sequences);
  if (sums.fisher.defined()) {
    add_squared_gradients(backend_, sums.fisher.view(), rows_x.view(), rows_dy, gradients);
  }
  if (sums.lora_rows.defined()) {
    add_adapter_importance(backend_, {sums.lora_rows.view(), sums.lora_columns.view()},
                           rows_x.view(), rows_dy, lora_factors(layer), layer.dense_weight().view(),
                           gradients);
  }
  if (!kinds_.gram && !kinds_.inputs) return;
  double counted = 0;
  const Tensor inputs = without_padding(path, rows_x, counted);
  sums.rows += counted;
  if (kinds_.gram) add_upper_gram(backend_, sums.gram.view(), inputs.view());
  if (!kinds_.inputs) return;
  const std::vector<float> values = inputs.to(DType::f32).values<float>();
  const auto in = static_cast<std::size_t>(inputs.dim(1));
  for (std::size_t first = 0; first < values.size(); first += in) {
    for (std::size_t i = 0; i < in; ++i) {
      const double size = std::abs(static_cast<double>(values[first + i]));
      sums.input_sum[i] += size;
      sums.input_max[i] = std::max(sums.input_max[i], size);
    }
  }
}

}  // namespace ty
