#include "parallel/data/gradient_reducer.h"

#include <cmath>
#include <functional>

#include "core/base/error.h"

namespace ty {

GradientReducer::GradientReducer(FlatParameters& parameters, Group data, ReducerOptions options)
    : parameters_(&parameters), data_(std::move(data)), options_(options) {
  const FlatLayout& layout = parameters.layout();
  std::vector<Range> owned;
  for (const Range& bucket : layout.buckets) {
    owned.push_back(options_.shard_optimizer ? shard_of(bucket) : bucket);
  }
  pieces_ = pieces_in(layout, owned);
  const auto& all = parameters.store().all();
  for (std::size_t i = 0; i < all.size(); ++i) {
    TY_CHECK(all[i].placement.partial_over_data, "'{}' needs no data reduction", all[i].name);
    bucket_of_[&leaf_of(all[i].value)] = static_cast<std::size_t>(layout.bucket_of[i]);
  }
}

Range GradientReducer::shard_of(const Range& bucket) const {
  const std::int64_t count = bucket.count / data_.size();
  return {bucket.first + data_.rank() * count, count};
}

BackwardOptions GradientReducer::backward_options(std::int64_t index, std::int64_t count) {
  const bool last = index + 1 == count;
  if (!last || options_.reduction == Reduction::canonical) return {};
  const FlatLayout& layout = parameters_->layout();
  waiting_.assign(layout.buckets.size(), 0);
  for (int bucket : layout.bucket_of) ++waiting_[static_cast<std::size_t>(bucket)];
  started_.assign(layout.buckets.size(), false);
  return {.on_leaf_complete = [this](Leaf& leaf) {
    leaf.fill_missing();  // of what nothing depended on, or the buffer holds last step's numbers
    const auto found = bucket_of_.find(&leaf);
    if (found != bucket_of_.end() && --waiting_[found->second] == 0) start(found->second);
    for (Pending& pending : pending_) pending.work.test();  // keeps messages moving
  }};
}

void GradientReducer::start(std::size_t bucket) {
  started_[bucket] = true;
  const Range& range = parameters_->layout().buckets[bucket];
  const Tensor all = slice(parameters_->gradients(), range);
  if (!options_.shard_optimizer) {
    pending_.push_back({bucket, Tensor(), data_.all_reduce(all.view(), ReduceOp::sum)});
    return;
  }
  const Tensor shard = Tensor::empty(parameters_->backend(), {shard_of(range).count}, all.dtype(),
                                     MemoryClass::communication);
  pending_.push_back(
      {bucket, shard, data_.reduce_scatter(shard.view(), all.view(), ReduceOp::sum)});
}

void GradientReducer::micro_batch_done(std::int64_t index, std::int64_t count) {
  if (options_.reduction != Reduction::canonical) return;
  parameters_->fill_missing_gradients();
  if (index == 0) partial_sums_.emplace(count);
  partial_sums_->push(parameters_->gradients().to(parameters_->gradients().dtype()),
                      [this](const Tensor& earlier, Tensor later) {
                        parameters_->backend().axpby(later.view(), 1.0, earlier.view(), 1.0);
                        return later;
                      });
  parameters_->clear_gradients();
}

void GradientReducer::finish() {
  if (options_.reduction == Reduction::canonical) {
    TY_CHECK(partial_sums_.has_value(), "no micro-batch has run");
    parameters_->backend().copy(parameters_->gradients().view(), partial_sums_->take().view());
    partial_sums_.reset();
    tree_all_reduce(data_, parameters_->backend(), parameters_->gradients().view());
    return;
  }
  parameters_->fill_missing_gradients();
  for (std::size_t bucket = 0; bucket < started_.size(); ++bucket) {
    if (!started_[bucket]) start(bucket);
  }
  for (Pending& pending : pending_) {
    pending.work.wait();
    if (!pending.shard.defined()) continue;
    const Range own = shard_of(parameters_->layout().buckets[pending.bucket]);
    parameters_->backend().copy(slice(parameters_->gradients(), own).view(), pending.shard.view());
  }
  pending_.clear();
}

double GradientReducer::gradient_norm() {
  // Sharded fast sums exist in pieces; otherwise every rank holds the whole gradient and adds it up
  // parameter by parameter, in the same order whatever the layout.
  const bool sharded = options_.shard_optimizer && options_.reduction == Reduction::fast;
  const FlatLayout& layout = parameters_->layout();
  std::vector<Range> ranges;
  if (sharded) {
    for (const Piece& piece : pieces_) ranges.push_back({piece.flat_first, piece.inside.count});
  } else {
    ranges = layout.parameters;
  }
  const auto count = static_cast<std::int64_t>(ranges.size());
  const Tensor squares = Tensor::empty(parameters_->backend(), {count}, DType::f64);
  for (std::int64_t i = 0; i < count; ++i) {
    const Range& range = ranges[static_cast<std::size_t>(i)];
    parameters_->backend().sum_squares(squares.view().slice(0, i, 1),
                                       slice(parameters_->gradients(), range).view());
  }
  squares_ = squares.values<double>();
  double total = 0.0;
  for (double square : squares_) total += square;
  return std::sqrt(sharded ? sum_over_ranks(total) : total);
}

std::string GradientReducer::first_non_finite() const {
  const bool whole = squares_.size() == parameters_->layout().parameters.size();
  for (std::size_t i = 0; i < squares_.size(); ++i) {
    if (std::isfinite(squares_[i])) continue;
    return fmt::format(" (first in {})",
                       parameters_->store().all()[whole ? i : pieces_[i].parameter].name);
  }
  return "";
}

void GradientReducer::share_weights() { gather(parameters_->model()); }

void GradientReducer::gather_weights() {
  if (parameters_->has_separate_model()) gather(parameters_->weights());
}

void GradientReducer::gather(const Tensor& flat) {
  if (!options_.shard_optimizer) return;
  std::vector<Work> works;
  for (const Range& bucket : parameters_->layout().buckets) {
    works.push_back(
        data_.all_gather(slice(flat, bucket).view(), slice(flat, shard_of(bucket)).view()));
  }
  for (Work& work : works) work.wait();
}

double GradientReducer::sum_over_ranks(double value) {
  data_.all_reduce(contiguous_view(&value, DType::f64, {1}), ReduceOp::sum).wait();
  return value;
}

double GradientReducer::sum_losses(const std::vector<double>& per_micro_batch) {
  TreeSum<double> sum(static_cast<std::int64_t>(per_micro_batch.size()));
  for (double loss : per_micro_batch) sum.push(loss, std::plus<>());
  const double total = per_micro_batch.empty() ? 0.0 : sum.take();
  if (options_.reduction != Reduction::canonical) return sum_over_ranks(total);
  return tree_all_reduce(data_, total);
}

}  // namespace ty
