// Flat memory for all parameters of a store: weights and gradients each lie in one buffer, cut into
// buckets that are reduced, sharded and updated as plain ranges.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/nn/parameter.h"

namespace ty {

struct Range {
  std::int64_t first = 0;
  std::int64_t count = 0;
};

// Where each parameter lies in the flat buffers, in elements. Pure data.
struct FlatLayout {
  std::vector<Range> parameters;  // in the store's order
  std::vector<Range> buckets;     // cover the buffer; each holds whole parameters and some padding
  std::vector<int> bucket_of;     // of each parameter
  std::int64_t size = 0;
};

// Parameters in order, a new bucket whenever one holds at least bucket_elements. Every parameter
// starts on a multiple of 16 elements and every bucket's size is a multiple of 16 * shards, so that
// it splits evenly over `shards` ranks.
FlatLayout plan_flat_layout(const ParameterStore& store, std::int64_t bucket_elements,
                            std::int64_t shards);

struct FlatDtypes {
  DType compute = DType::f32;  // what the model reads
  DType weights = DType::f32;  // what the optimizer updates
};

class FlatParameters {
 public:
  // Gives every parameter of the store its value (a leaf) and gradient buffer. Gradients are fp32,
  // or fp64 for fp64 weights. Values are uninitialised; padding is zero.
  FlatParameters(ParameterStore& store, FlatLayout layout, Backend& backend, FlatDtypes dtypes);

  // Draws initial values: a function of (seed, name, position) alone.
  void initialise(std::uint64_t seed);
  // Overwrites the model's copy from the weights (nothing to do when they are the same memory).
  void refresh_model();
  // Marks all gradients as absent; the next one that arrives overwrites the buffer.
  void clear_gradients();
  // Zeroes buffers of parameters that no gradient has reached, so that ranges can be reduced whole.
  void fill_missing_gradients();

  const FlatLayout& layout() const { return layout_; }
  ParameterStore& store() const { return *store_; }
  Backend& backend() const { return *backend_; }
  // [size]: what the optimizer updates; shares memory with model() when dtypes agree.
  const Tensor& weights() const { return weights_; }
  const Tensor& model() const { return model_; }
  const Tensor& gradients() const { return gradients_; }
  // The weight of parameter i, in the weights' dtype and the parameter's shape.
  Tensor weight_of(std::size_t i) const;
  // The first parameter whose weight holds NaN or infinity; "" if all numbers are finite.
  std::string first_non_finite_weight() const;
  bool has_separate_model() const { return weights_.dtype() != model_.dtype(); }

 private:
  ParameterStore* store_;
  FlatLayout layout_;
  Backend* backend_;
  Tensor weights_, model_, gradients_;
};

// A run of one parameter's elements that this rank updates.
struct Piece {
  std::size_t parameter = 0;    // index in the store
  Range inside;                 // elements of the parameter, row-major
  std::int64_t flat_first = 0;  // where they start in the flat buffers
};
// The parts of parameters that lie in the given ranges of the flat buffers, in order.
std::vector<Piece> pieces_in(const FlatLayout& layout, const std::vector<Range>& ranges);

// Elements [range) of a flat tensor.
Tensor slice(const Tensor& flat, Range range);

// Which of these ranges of a flat tensor is the first to hold NaN or infinity; -1 if none does.
std::int64_t first_non_finite(const Tensor& flat, const std::vector<Range>& ranges);

}  // namespace ty
