#include "parallel/data/gradient_reducer.h"

#include <cmath>

#include "core/base/error.h"
#include "core/base/exact_sum.h"

namespace ty {

namespace {

// earlier + later, in the memory of the later.
Tensor add_tensors(const Tensor& earlier, Tensor later) {
  later.backend().axpby(later.view(), 1.0, earlier.view(), 1.0);
  return later;
}

}  // namespace

GradientReducer::GradientReducer(FlatParameters& parameters, AxisGroups groups,
                                 ReducerOptions options)
    : parameters_(&parameters),
      groups_(std::move(groups)),
      data_(groups_.data.on(parameters.backend())),
      tensor_(groups_.tensor.on(parameters.backend())),
      ends_(groups_.ends.on(parameters.backend())),
      stage_(groups_.stage.on(parameters.backend())),
      pipeline_(groups_.pipeline.on(parameters.backend())),
      options_(options) {
  const FlatLayout& layout = parameters.layout();
  std::vector<Range> owned;
  for (const Bucket& bucket : layout.buckets) {
    TY_CHECK(!bucket.partial.has(Axis::tensor) ||
                 groups_.stage.size() == groups_.data.size() * groups_.tensor.size(),
             "sums over data x tensor want all of its ranks, got {}", groups_.stage.size());
    owned.push_back(options_.shard_optimizer ? shard_of(bucket) : bucket.range);
  }
  pieces_ = marked(pieces_in(layout, owned), options_.shard_optimizer);
  const auto& all = parameters.store().all();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (layout.bucket_of[i] < 0) continue;
    bucket_of_[&leaf_of(all[i].value)] = static_cast<std::size_t>(layout.bucket_of[i]);
  }
}

const Group& GradientReducer::group_of(const Bucket& bucket) const {
  return bucket.partial.has(Axis::tensor) ? stage_ : data_;
}

Range GradientReducer::shard_of(const Bucket& bucket) const {
  const Group& group = group_of(bucket);
  const std::int64_t count = bucket.range.count / group.size();
  return {bucket.range.first + group.rank() * count, count};
}

// A shard of what data x tensor sums up is counted by the rank that has it, all else by placement;
// of what the ends of a pipeline both have, the first one's.
std::vector<Piece> GradientReducer::marked(std::vector<Piece> pieces, bool sharded) const {
  const auto& all = parameters_->store().all();
  for (Piece& piece : pieces) {
    const Placement& placement = all[piece.parameter].placement;
    const bool is_copy = placement.partial.has(Axis::pipeline) && groups_.pipeline.rank() > 0;
    const bool is_own_shard = sharded && placement.partial.has(Axis::tensor);
    piece.counted = !is_copy && (placement.counted || is_own_shard);
  }
  return pieces;
}

void GradientReducer::begin_step(std::int64_t micro_batches) {
  micro_batches_ = micro_batches;
  partial_sums_.reset();
  losses_.reset();
  const FlatLayout& layout = parameters_->layout();
  waiting_.assign(layout.buckets.size(), 0);
  for (const int bucket : layout.bucket_of) {
    if (bucket >= 0) ++waiting_[static_cast<std::size_t>(bucket)];
  }
  started_.assign(layout.buckets.size(), false);
}

BackwardOptions GradientReducer::backward_options(bool last) {
  if (!last || options_.reduction == Reduction::canonical) return {};
  return {.on_leaf_complete = [this](Leaf& leaf) {
    const auto found = bucket_of_.find(&leaf);
    if (found == bucket_of_.end()) return;
    leaf.fill_missing();  // of what nothing depended on, or the buffer holds last step's numbers
    const bool is_complete = --waiting_[found->second] == 0;
    const Bucket& bucket = parameters_->layout().buckets[found->second];
    if (is_complete && !bucket.partial.has(Axis::pipeline)) start(found->second);
    for (Pending& pending : pending_) pending.work.test();  // keeps messages moving
  }};
}

// Few numbers: they are waited for.
void GradientReducer::sum_over_ends(const Bucket& bucket) {
  if (!bucket.partial.has(Axis::pipeline)) return;
  ends_.all_reduce(slice(parameters_->gradients(), bucket.range).view(), ReduceOp::sum).wait();
}

void GradientReducer::start(std::size_t index) {
  started_[index] = true;
  const Bucket& bucket = parameters_->layout().buckets[index];
  sum_over_ends(bucket);
  const Group& group = group_of(bucket);
  const Tensor all = slice(parameters_->gradients(), bucket.range);
  if (!options_.shard_optimizer) {
    pending_.push_back({index, Tensor(), group.all_reduce(all.view(), ReduceOp::sum)});
    return;
  }
  const Tensor shard = Tensor::empty(parameters_->backend(), {shard_of(bucket).count}, all.dtype(),
                                     MemoryClass::communication);
  pending_.push_back({index, shard, group.reduce_scatter(shard.view(), all.view(), ReduceOp::sum)});
}

void GradientReducer::micro_batch_done(std::int64_t index) {
  if (options_.reduction != Reduction::canonical) return;
  parameters_->fill_missing_gradients();
  if (!partial_sums_) partial_sums_.emplace(micro_batches_);
  partial_sums_->put(index, parameters_->gradients().to(parameters_->gradients().dtype()),
                     add_tensors);
  parameters_->clear_gradients();
}

void GradientReducer::finish() {
  if (options_.reduction == Reduction::canonical) {
    TY_CHECK(partial_sums_.has_value(), "no micro-batch has run");
    parameters_->backend().copy(parameters_->gradients().view(), partial_sums_->take().view());
    partial_sums_.reset();
    sum_canonically();
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

// Over the data ranks first. So what two blocks of a pipeline's ends add to a tied table is summed
// up by itself over the whole batch, wherever they are, and added last.
void GradientReducer::sum_canonically() {
  const FlatLayout& layout = parameters_->layout();
  const auto sum = [&](const Range& range) {
    tree_all_reduce(data_, parameters_->backend(), slice(parameters_->gradients(), range).view());
  };
  for (const Bucket& bucket : layout.buckets) {
    if (bucket.partial.has(Axis::tensor)) {
      const View all = slice(parameters_->gradients(), bucket.range).view();
      tree_all_reduce(tensor_, parameters_->backend(), all);
    }
    sum(bucket.range);
    sum_over_ends(bucket);
  }
  if (layout.gradients == layout.trained) return;
  sum({layout.trained, layout.gradients - layout.trained});
  parameters_->join_second_gradients();
}

// Fast sums, sharded, exist in pieces; otherwise every rank holds the whole gradient.
bool GradientReducer::is_sharded() const {
  return options_.shard_optimizer && options_.reduction == Reduction::fast;
}

std::vector<Piece> GradientReducer::counted_pieces() const {
  const FlatLayout& layout = parameters_->layout();
  std::vector<Piece> pieces =
      is_sharded() ? pieces_ : marked(pieces_in(layout, layout.bucket_ranges()), false);
  const auto& all = parameters_->store().all();
  std::erase_if(pieces, [&](const Piece& piece) {
    return !piece.counted || all[piece.parameter].init.is_sum;
  });
  return pieces;
}

namespace {

// The sum of squares of each of these, fp64 [n].
Tensor squares_of(const std::vector<Tensor>& parts, Backend& backend) {
  const auto count = static_cast<std::int64_t>(parts.size());
  const Tensor squares = Tensor::empty(backend, {count}, DType::f64);
  for (std::int64_t i = 0; i < count; ++i) {
    backend.sum_squares(squares.view().slice(0, i, 1),
                        parts[static_cast<std::size_t>(i)].contiguous().view());
  }
  return squares;
}

}  // namespace

double GradientReducer::gradient_norm() {
  return options_.reduction == Reduction::fast ? fast_norm() : canonical_norm();
}

// Of each parameter's virtual shards, which are the same however many ranks have them, and then of
// all parameters exactly, so that it does not matter which stage has them.
double GradientReducer::canonical_norm() {
  std::vector<Tensor> parts;
  for (const Piece& piece : counted_pieces()) {
    const Parameter& parameter = parameters_->store().all()[piece.parameter];
    const Placement& placement = parameter.placement;
    const Tensor& gradient = leaf_of(parameter.value).grad;
    if (placement.divided < 0) {
      parts.push_back(gradient);
      continue;
    }
    const std::int64_t own = parameter.shape[placement.divided];
    const std::int64_t whole = parameter.whole()[placement.divided];
    for (const Range& shard : virtual_shards(whole, {placement.slice.first, own})) {
      parts.push_back(
          gradient.alias(gradient.view().slice(placement.divided, shard.first, shard.count)));
    }
  }
  ExactSum total;
  const Tensor squares = squares_of(parts, parameters_->backend());
  for (const double square : squares.values<double>()) total.add(square);
  for (const Group* group : {&groups_.tensor, &groups_.pipeline}) {
    const std::span<double> digits = total.digits();
    group
        ->all_reduce(contiguous_view(digits.data(), DType::f64, {std::ssize(digits)}),
                     ReduceOp::sum)
        .wait();
  }
  return std::sqrt(total.value());
}

std::vector<Tensor> GradientReducer::counted_parts() const {
  std::vector<Range> ranges;
  for (const Piece& piece : counted_pieces()) {
    const bool follows =
        !ranges.empty() && ranges.back().first + ranges.back().count == piece.flat_first;
    if (follows) {
      ranges.back().count += piece.inside.count;
    } else {
      ranges.push_back({piece.flat_first, piece.inside.count});
    }
  }
  std::vector<Tensor> parts;
  for (const Range& range : ranges) parts.push_back(slice(parameters_->gradients(), range));
  return parts;
}

double GradientReducer::fast_norm() {
  const Tensor squares = squares_of(counted_parts(), parameters_->backend());
  double total = 0.0;
  for (const double square : squares.values<double>()) total += square;
  if (is_sharded()) total = groups_.data.all_reduce(total, ReduceOp::sum);
  total = groups_.tensor.all_reduce(total, ReduceOp::sum);
  return std::sqrt(groups_.pipeline.all_reduce(total, ReduceOp::sum));
}

std::string GradientReducer::first_non_finite() const {
  const std::vector<Piece> pieces = counted_pieces();
  std::vector<Range> ranges;
  for (const Piece& piece : pieces) ranges.push_back({piece.flat_first, piece.inside.count});
  const std::int64_t i = ty::first_non_finite(parameters_->gradients(), ranges);
  if (i < 0) return "";
  const std::size_t parameter = pieces[static_cast<std::size_t>(i)].parameter;
  return fmt::format(" (first in {})", parameters_->store().all()[parameter].name);
}

void GradientReducer::share_weights() { gather(parameters_->model()); }

void GradientReducer::gather_weights() {
  if (parameters_->has_separate_model()) gather(parameters_->weights());
}

void GradientReducer::gather(const Tensor& flat) {
  if (!options_.shard_optimizer) return;
  std::vector<Work> works;
  for (const Bucket& bucket : parameters_->layout().buckets) {
    works.push_back(group_of(bucket).all_gather(slice(flat, bucket.range).view(),
                                                slice(flat, shard_of(bucket)).view()));
  }
  for (Work& work : works) work.wait();
}

PendingSum GradientReducer::start_sum(double value) { return {groups_.data, value}; }

void GradientReducer::add_loss(std::int64_t index, const Tensor& loss) {
  if (!losses_) losses_.emplace(micro_batches_);
  losses_->put(index, loss.to(DType::f64), add_tensors);
}

Tensor GradientReducer::total_loss() {
  TY_CHECK(losses_.has_value(), "no loss was added");
  const Tensor total = losses_->take();
  if (options_.reduction == Reduction::canonical) {
    tree_all_reduce(data_, parameters_->backend(), total.view());
  } else {
    data_.all_reduce(total.view(), ReduceOp::sum).wait();
  }
  return total;
}

PendingLoss GradientReducer::start_losses() {
  const Group& pipeline = groups_.pipeline;
  if (pipeline.rank() + 1 < pipeline.size()) return {pipeline, std::nullopt};
  return {pipeline, LateItem(total_loss())};
}

StepSums GradientReducer::sums_on_device() {
  Backend& backend = parameters_->backend();
  const bool has_losses = pipeline_.rank() + 1 == pipeline_.size();
  StepSums sums = {has_losses ? total_loss() : Tensor::empty(backend, {1}, DType::f64),
                   Tensor::empty(backend, {1}, DType::f64)};
  pipeline_.broadcast(sums.loss.view(), pipeline_.size() - 1).wait();
  const Tensor squares = squares_of(counted_parts(), backend);
  backend.reduce_sum(sums.squares.view(), squares.view(), 0.0);
  if (is_sharded()) data_.all_reduce(sums.squares.view(), ReduceOp::sum).wait();
  for (const Group* group : {&tensor_, &pipeline_}) {
    group->all_reduce(sums.squares.view(), ReduceOp::sum).wait();
  }
  return sums;
}

double PendingLoss::wait() {
  double sum = own_ ? own_->value() : 0.0;
  if (pipeline_.size() == 1) return sum;
  pipeline_.broadcast(contiguous_view(&sum, DType::f64, {1}), pipeline_.size() - 1).wait();
  return sum;
}

}  // namespace ty
