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
}  // namespace

FlatLayout plan_flat_layout(const ParameterStore& store, std::int64_t bucket_elements,
                            std::int64_t shards) {
  FlatLayout layout;
  std::int64_t bucket_first = 0;
  std::int64_t end = 0;
  const auto close_bucket = [&] {
    end = bucket_first + round_up(end - bucket_first, kAlign * shards);
    if (end > bucket_first) layout.buckets.push_back({bucket_first, end - bucket_first});
    bucket_first = end;
  };
  for (const Parameter& parameter : store.all()) {
    if (end - bucket_first >= bucket_elements) close_bucket();
    layout.parameters.push_back({end, parameter.shape.numel()});
    layout.bucket_of.push_back(static_cast<int>(layout.buckets.size()));
    end = round_up(end + parameter.shape.numel(), kAlign);
  }
  close_bucket();
  layout.size = end;
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
                               FlatDtypes dtypes)
    : store_(&store), layout_(std::move(layout)), backend_(&backend) {
  const Shape size = {layout_.size};
  weights_ = Tensor::empty(
      backend, size, dtypes.weights,
      dtypes.weights == dtypes.compute ? MemoryClass::parameter : MemoryClass::optimizer);
  model_ = dtypes.weights == dtypes.compute
               ? weights_
               : Tensor::empty(backend, size, dtypes.compute, MemoryClass::parameter);
  gradients_ = Tensor::empty(backend, size, accumulator_of(dtypes.compute), MemoryClass::gradient);
  backend.fill(weights_.view(), 0.0);
  backend.fill(model_.view(), 0.0);
  backend.fill(gradients_.view(), 0.0);
  for (std::size_t i = 0; i < layout_.parameters.size(); ++i) {
    Parameter& parameter = store.all()[i];
    const auto shaped = [&](const Tensor& flat) {
      const View range = slice(flat, layout_.parameters[i]).view();
      return flat.alias(contiguous_view(range.data, range.dtype, parameter.shape));
    };
    parameter.value = make_leaf(shaped(model_));
    leaf_of(parameter.value).grad = shaped(gradients_);
  }
}

Tensor FlatParameters::weight_of(std::size_t i) const {
  const View range = slice(weights_, layout_.parameters[i]).view();
  return weights_.alias(contiguous_view(range.data, range.dtype, store_->all()[i].shape));
}

std::string FlatParameters::first_non_finite_weight() const {
  const std::int64_t i = first_non_finite(weights_, layout_.parameters);
  return i < 0 ? "" : store_->all()[static_cast<std::size_t>(i)].name;
}

void FlatParameters::initialise(std::uint64_t seed) {
  for (std::size_t i = 0; i < layout_.parameters.size(); ++i) {
    const Parameter& parameter = store_->all()[i];
    const View view = slice(weights_, layout_.parameters[i]).view();
    switch (parameter.init.kind) {
      case Init::Kind::normal:
        backend_->random_normal(view, RandomStream(seed, site_id(parameter.name)), 0,
                                parameter.init.value);
        break;
      case Init::Kind::constant:
        backend_->fill(view, parameter.init.value);
        break;
      case Init::Kind::computed:
        backend_->copy(
            view,
            Tensor::from<double>(*backend_, {view.numel()}, parameter.init.compute(seed)).view());
        break;
    }
  }
  refresh_model();
}

void FlatParameters::refresh_model() {
  if (has_separate_model()) backend_->copy(model_.view(), weights_.view());
}

void FlatParameters::clear_gradients() {
  for (Parameter& parameter : store_->all()) leaf_of(parameter.value).clear();
}

void FlatParameters::fill_missing_gradients() {
  for (Parameter& parameter : store_->all()) leaf_of(parameter.value).fill_missing();
}

}  // namespace ty
