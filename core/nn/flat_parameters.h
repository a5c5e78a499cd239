// Flat memory for all parameters of a store: weights and gradients each occupy one buffer, divided
// into buckets that are reduced, sharded and updated as plain ranges.
//
//   | bucket 0        | bucket 1        | bucket 2       | frozen           |
//   | partial {data}  | partial {data}  | {data, tensor} | no gradient      |
//   |<-------------- trained: weights, gradients ------>|
//
// The gradients of second readers follow behind those of all buckets.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/range.h"
#include "core/nn/parameter.h"

namespace ty {

// Parameters that are reduced together: a range of the flat buffers, and the axes over which their
// gradients are partial sums.
struct Bucket {
  Range range;
  AxisSet partial;
};

// Where each parameter lies in the flat buffers, in elements. Pure data.
struct FlatLayout {
  std::vector<Range> parameters;  // in the store's order
  std::vector<Bucket> buckets;    // cover what is trained; each holds whole parameters and padding
  std::vector<int> bucket_of;     // of each parameter; -1: frozen
  std::int64_t trained = 0;       // elements before it are trained, others frozen
  std::int64_t size = 0;
  std::vector<Range> second_gradients;  // of each parameter, in gradients(); none: of no elements
  std::int64_t gradients = 0;           // elements of gradients(): trained and those

  std::vector<Range> bucket_ranges() const;
};

// Trained parameters in order, grouped by `partial`, with a new bucket as soon as one holds at
// least bucket_elements; then the frozen ones. Every parameter starts on a multiple of 16 elements
// and every bucket's size is a multiple of 16 * shards, so that it splits evenly over `shards`
// ranks.
FlatLayout plan_flat_layout(const ParameterStore& store, std::int64_t bucket_elements,
                            std::int64_t shards);

struct FlatOptions {
  DType compute = DType::f32;  // what the model reads
  DType weights = DType::f32;  // what the optimizer updates
  bool gradients = true;       // false: the model is only run and has `compute` weights alone
};

class FlatParameters {
 public:
  // Gives every parameter of the store memory for its value and, if it is trained, its gradient.
  // Gradients are fp32, or fp64 for fp64 weights. Values are uninitialised; padding is zero. Values
  // of frozen parameters, and all values without gradients, are constants.
  FlatParameters(ParameterStore& store, FlatLayout layout, Backend& backend, FlatOptions options);

  // Draws initial values: a function of (seed, name, position in the whole parameter) alone.
  // Padding of a slice is zero.
  void initialise(std::uint64_t seed);
  // Updates the model's copy from the weights (a no-op when they share memory).
  void refresh_model();
  // Marks all gradients as absent; the next gradient to arrive overwrites its buffer.
  void clear_gradients();
  // Zeroes the buffers of parameters that no gradient has reached, so that whole ranges can be
  // reduced.
  void fill_missing_gradients();
  // Adds the gradients that came from second readers to the parameters'.
  void join_second_gradients();

  const FlatLayout& layout() const { return layout_; }
  ParameterStore& store() const { return *store_; }
  Backend& backend() const { return *backend_; }
  // What the optimizer updates: [trained], or [size] where model() shares its memory.
  const Tensor& weights() const { return weights_; }
  // What the model reads: [size].
  const Tensor& model() const { return model_; }
  // [trained], and the second readers' behind it
  const Tensor& gradients() const { return gradients_; }
  // The weight of parameter i in its own shape; in the dtype of weights(), or of model() if it is
  // frozen.
  Tensor weight_of(std::size_t i) const;
  // The name of the first parameter whose weight holds NaN or infinity; "" if all are finite.
  std::string first_non_finite_weight() const;
  bool has_separate_model() const { return weights_.dtype() != model_.dtype(); }

 private:
  bool is_trained(std::size_t i) const { return layout_.bucket_of[i] >= 0; }
  void initialise(const Parameter& parameter, const View& weight, std::uint64_t seed);

  ParameterStore* store_;
  FlatLayout layout_;
  Backend* backend_;
  bool has_gradients_;
  Tensor weights_, model_, gradients_;
};

// A run of one parameter's elements that this rank updates.
struct Piece {
  std::size_t parameter = 0;    // index in the store
  Range inside;                 // elements of the parameter, row-major
  std::int64_t flat_first = 0;  // where they start in the flat buffers
  bool counted = true;          // by this rank, in norms and files: see Placement
};
// The parts of parameters that lie in the given ranges of the flat buffers, in order.
std::vector<Piece> pieces_in(const FlatLayout& layout, const std::vector<Range>& ranges);

// Elements [range) of a flat tensor.
Tensor slice(const Tensor& flat, Range range);

// The index of the first of these ranges of a flat tensor that holds NaN or infinity; -1 if none
// does.
std::int64_t first_non_finite(const Tensor& flat, const std::vector<Range>& ranges);

}  // namespace ty
