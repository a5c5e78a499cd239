#include "core/nn/flat_parameters.h"

#include <algorithm>
#include <cmath>

#include "core/autograd/graph.h"
#include "core/base/error.h"
#include "core/base/random.h"
#include "core/base/rounding.h"

namespace ty {

namespace {

constexpr std::int64_t kAlign = 16;  // elements: a cache line of fp32

// Puts parameters one after the other.
class Packer {
 public:
  Packer(FlatLayout& layout, std::int64_t bucket_elements, std::int64_t shards)
      : layout_(layout), bucket_elements_(bucket_elements), shards_(shards) {}

  void add_trained(std::size_t i, const Parameter& parameter) {
    if (layout_.size - first_ >= bucket_elements_) close_bucket(parameter.placement.partial);
    layout_.bucket_of[i] = static_cast<int>(layout_.buckets.size());
    place(i, parameter);
  }
  void add_frozen(std::size_t i, const Parameter& parameter) { place(i, parameter); }
  void close_bucket(AxisSet partial) {
    layout_.size = first_ + round_up(layout_.size - first_, kAlign * shards_);
    if (layout_.size > first_)
      layout_.buckets.push_back({{first_, layout_.size - first_}, partial});
    first_ = layout_.size;
  }

 private:
  void place(std::size_t i, const Parameter& parameter) {
    layout_.parameters[i] = {layout_.size, parameter.shape.numel()};
    layout_.size = round_up(layout_.size + parameter.shape.numel(), kAlign);
  }

  FlatLayout& layout_;
  std::int64_t bucket_elements_, shards_;
  std::int64_t first_ = 0;  // of the open bucket
};

// In the order of their first parameter.
std::vector<AxisSet> kinds_of_partial(const ParameterStore& store) {
  std::vector<AxisSet> kinds;
  for (const Parameter& parameter : store.all()) {
    const bool known =
        std::find(kinds.begin(), kinds.end(), parameter.placement.partial) != kinds.end();
    if (parameter.trainable && !known) kinds.push_back(parameter.placement.partial);
  }
  return kinds;
}

}  // namespace

std::vector<Range> FlatLayout::bucket_ranges() const {
  std::vector<Range> ranges;
  for (const Bucket& bucket : buckets) ranges.push_back(bucket.range);
  return ranges;
}

FlatLayout plan_flat_layout(const ParameterStore& store, std::int64_t bucket_elements,
                            std::int64_t shards) {
  const auto& all = store.all();
  FlatLayout layout;
  layout.parameters.resize(all.size());
  layout.bucket_of.assign(all.size(), -1);
  Packer packer(layout, bucket_elements, shards);
  for (const AxisSet& partial : kinds_of_partial(store)) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      const bool belongs = all[i].trainable && all[i].placement.partial == partial;
      if (belongs) packer.add_trained(i, all[i]);
    }
    packer.close_bucket(partial);
  }
  layout.trained = layout.gradients = layout.size;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!all[i].trainable) packer.add_frozen(i, all[i]);
  }
  for (const Parameter& parameter : all) {
    const bool is_second = parameter.trainable && parameter.has_second_reader;
    layout.second_gradients.push_back({layout.gradients, is_second ? parameter.shape.numel() : 0});
    layout.gradients += round_up(layout.second_gradients.back().count, kAlign);
  }
  return layout;
}

std::vector<Piece> pieces_in(const FlatLayout& layout, const std::vector<Range>& ranges) {
  std::vector<Piece> pieces;
  for (const Range& range : ranges) {
    for (std::size_t i = 0; i < layout.parameters.size(); ++i) {
      const Range& parameter = layout.parameters[i];
      const std::int64_t first = std::max(range.first, parameter.first);
      const std::int64_t last =
          std::min(range.first + range.count, parameter.first + parameter.count);
      if (first < last) pieces.push_back({i, {first - parameter.first, last - first}, first});
    }
  }
  return pieces;
}

Tensor slice(const Tensor& flat, Range range) {
  return flat.alias(flat.view().slice(0, range.first, range.count));
}

std::int64_t first_non_finite(const Tensor& flat, const std::vector<Range>& ranges) {
  if (ranges.empty()) return -1;
  const auto count = static_cast<std::int64_t>(ranges.size());
  const Tensor squares = Tensor::empty(flat.backend(), {count}, DType::f64);
  for (std::int64_t i = 0; i < count; ++i) {
    flat.backend().sum_squares(squares.view().slice(0, i, 1),
                               slice(flat, ranges[static_cast<std::size_t>(i)]).view());
  }
  const std::vector<double> sums = squares.values<double>();
  const auto found =
      std::find_if(sums.begin(), sums.end(), [](double sum) { return !std::isfinite(sum); });
  return found == sums.end() ? -1 : found - sums.begin();
}

FlatParameters::FlatParameters(ParameterStore& store, FlatLayout layout, Backend& backend,
                               FlatOptions options)
    : store_(&store),
      layout_(std::move(layout)),
      backend_(&backend),
      has_gradients_(options.gradients) {
  const bool separate = options.gradients && options.weights != options.compute;
  const auto zeros = [&](std::int64_t count, DType dtype, MemoryClass memory_class) {
    Tensor flat = Tensor::empty(backend, {count}, dtype, memory_class);
    backend.fill(flat.view(), 0.0);
    return flat;
  };
  model_ = zeros(layout_.size, options.compute, MemoryClass::parameter);
  weights_ = separate ? zeros(layout_.trained, options.weights, MemoryClass::optimizer) : model_;
  if (has_gradients_) {
    gradients_ = zeros(layout_.gradients, accumulator_of(options.compute), MemoryClass::gradient);
  }
  for (std::size_t i = 0; i < layout_.parameters.size(); ++i) {
    Parameter& parameter = store.all()[i];
    const auto shaped = [&](const Tensor& flat, const Range& place) {
      const View range = slice(flat, place).view();
      return flat.alias(contiguous_view(range.data, range.dtype, parameter.shape));
    };
    const auto leaf = [&](const Range& gradient) {
      const Tensor value = make_leaf(shaped(model_, layout_.parameters[i]));
      leaf_of(value).grad = shaped(gradients_, gradient);
      return value;
    };
    parameter.value = shaped(model_, layout_.parameters[i]);
    if (has_gradients_ && is_trained(i)) parameter.value = leaf(layout_.parameters[i]);
    const bool is_second = has_gradients_ && layout_.second_gradients[i].count > 0;
    parameter.second_value = is_second ? leaf(layout_.second_gradients[i]) : parameter.value;
  }
}

Tensor FlatParameters::weight_of(std::size_t i) const {
  const Tensor& flat = is_trained(i) ? weights_ : model_;
  const View range = slice(flat, layout_.parameters[i]).view();
  return flat.alias(contiguous_view(range.data, range.dtype, store_->all()[i].shape));
}

std::string FlatParameters::first_non_finite_weight() const {
  for (const Tensor* flat : {&weights_, &model_}) {
    std::vector<Range> ranges;
    std::vector<std::size_t> parameters;
    for (std::size_t i = 0; i < layout_.parameters.size(); ++i) {
      if ((is_trained(i) ? &weights_ : &model_) != flat) continue;
      ranges.push_back(layout_.parameters[i]);
      parameters.push_back(i);
    }
    const std::int64_t found = first_non_finite(*flat, ranges);
    if (found >= 0) return store_->all()[parameters[static_cast<std::size_t>(found)]].name;
  }
  return "";
}

void FlatParameters::initialise(std::uint64_t seed) {
  for (std::size_t i = 0; i < layout_.parameters.size(); ++i) {
    initialise(store_->all()[i], weight_of(i).view(), seed);
  }
  refresh_model();
}

void FlatParameters::initialise(const Parameter& parameter, const View& weight,
                                std::uint64_t seed) {
  const SliceRows rows = rows_of(parameter.shape, parameter.placement.slice);
  const View padded = contiguous_view(weight.data, weight.dtype, {rows.rows, rows.own_step});
  const View part = padded.slice(1, 0, rows.columns);
  if (rows.columns < rows.own_step) backend_->fill(padded, 0.0);
  if (rows.columns == 0) return;
  switch (parameter.init.kind) {
    case Init::Kind::normal:
      return backend_->random_normal(part, RandomStream(seed, site_id(parameter.name)), rows.first,
                                     rows.step, parameter.init.value);
    case Init::Kind::constant:
      return backend_->fill(part, parameter.init.value);
    case Init::Kind::computed: {
      const std::vector<double> whole = parameter.init.compute(seed);
      std::vector<double> own;
      for (std::int64_t r = 0; r < rows.rows; ++r) {
        const auto begin = whole.begin() + rows.first + r * rows.step;
        own.insert(own.end(), begin, begin + rows.columns);
      }
      return backend_->copy(part, Tensor::from<double>(*backend_, part.shape, own).view());
    }
  }
}

void FlatParameters::refresh_model() {
  if (!has_separate_model()) return;
  backend_->copy(slice(model_, {0, layout_.trained}).view(), weights_.view());
}

void FlatParameters::clear_gradients() {
  for (Parameter& parameter : store_->all()) {
    for (const Tensor* value : {&parameter.value, &parameter.second_value}) {
      if (value->requires_grad()) leaf_of(*value).clear();
    }
  }
}

void FlatParameters::fill_missing_gradients() {
  for (Parameter& parameter : store_->all()) {
    for (const Tensor* value : {&parameter.value, &parameter.second_value}) {
      if (value->requires_grad()) leaf_of(*value).fill_missing();
    }
  }
}

void FlatParameters::join_second_gradients() {
  for (std::size_t i = 0; i < layout_.second_gradients.size(); ++i) {
    const Range& second = layout_.second_gradients[i];
    if (second.count == 0) continue;
    const Range own = {layout_.parameters[i].first, second.count};
    backend_->axpby(slice(gradients_, own).view(), 1.0, slice(gradients_, second).view(), 1.0);
  }
}

}  // namespace ty
