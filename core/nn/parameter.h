// Parameters: declared by name while a model is built, given memory all at once afterwards.
//
// Building a model only declares parameters. So planning a model of any size costs nothing, and the
// memory can be laid out flat, in the buckets that gradient reduction and sharded optimizers work
// on.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/axis.h"
#include "core/base/slice.h"
#include "core/tensor/tensor.h"

namespace ty {

// The place of a factor in a chain F_1 F_2 .. F_N whose product is one matrix: each as
// [left, modes, right], its first and last dimension summed over with its neighbours.
struct ChainPlace {
  int index = 0;                     // from 0; factors of a chain are declared one after the other
  std::int64_t left = 0, right = 0;  // 0: in no chain
  bool is_in_chain() const { return right > 0; }
};

// Initial values of a parameter: normal with a standard deviation, a constant, or computed on the
// host. A normal draw depends only on (seed, name, position in the whole parameter). How a
// parameter should move depends on how it starts, so its rate is stated here too.
struct Init {
  enum class Kind : std::uint8_t { normal, constant, computed };
  using Compute = std::function<std::vector<double>(std::uint64_t seed)>;  // of the whole parameter
  Kind kind = Kind::constant;
  double value = 0.0;  // standard deviation, or the constant
  Compute compute = {};
  // Of a factor: what a dense weight's learning rate is to be multiplied by (optim.factor_rates).
  double rate = 1.0;
  // Of a factor: the root mean square of its elements at a normal start (optim.factor_norm_cap); 0:
  // of no factor.
  double rms = 0.0;
  // Of scores: what the gradients come to is subtracted as it is, without a learning rate, moments
  // or decay, and has no part in the gradient's norm.
  bool is_sum = false;
  ChainPlace chain = {};

  static Init normal(double std) { return {Kind::normal, std}; }
  static Init constant(double value) { return {Kind::constant, value}; }
  static Init computed(Compute compute) { return {Kind::computed, 0.0, std::move(compute)}; }
};

// How a rank's part of a parameter relates to the parts of the other ranks. Initial values,
// reducers, norms and checkpoints depend on this and nothing else.
//
//   what                                  slice      partial over       counted
//   dense weight, data parallel           -          data               by every rank
//   column of a tensor-parallel layer     dim 1      data               by every rank
//   norm gain under sequence parallelism  -          data, tensor       by tensor rank 0
//   tied table on the last stage          -          data, pipeline     by the first stage
struct Placement {
  Slice slice = {};
  AxisSet partial = {Axis::data};  // axes over which the rank's gradient is a partial sum
  // Whether this rank's part counts in norms and files: along tensor and pipeline each element of
  // the model counts exactly once; data ranks hold the same part.
  bool counted = true;
  // The dimension that tensor ranks divide, whatever their number, of a parameter whose sums must
  // not depend on it (parallel/data/reduction.h); -1: none.
  int divided = -1;
};

struct Parameter {
  std::string name;  // e.g. "blocks.3.mlp.up.weight"
  Shape shape;       // of this rank's part, padding included (core/base/slice.h)
  Init init;
  Placement placement;
  bool trainable = true;  // false: it has no gradient and no optimizer state
  // Whether two blocks of this rank read it, and the gradient that comes from the second is to be
  // added up by itself, as it is where another stage of a pipeline has that block.
  bool has_second_reader = false;
  Tensor value;         // undefined until the store has memory; a leaf if it is trained
  Tensor second_value;  // the same memory for the second reader, with a gradient of its own

  Shape whole() const { return whole_shape(shape, placement.slice); }
};

// The parameters of one rank's part of a model, in order of declaration. Addresses are stable.
class ParameterStore {
 public:
  ParameterStore() = default;
  ParameterStore(const ParameterStore&) = delete;
  ParameterStore& operator=(const ParameterStore&) = delete;

  // Throws InternalError if the name is taken.
  Parameter& declare(std::string name, Shape shape, Init init, Placement placement = {});
  // Null if no parameter has that name.
  Parameter* find(std::string_view name);
  const Parameter* find(std::string_view name) const;
  std::deque<Parameter>& all() { return parameters_; }
  const std::deque<Parameter>& all() const { return parameters_; }
  // The number of elements of all parameters, as this rank holds them.
  std::int64_t count() const;

 private:
  std::deque<Parameter> parameters_;
  std::unordered_map<std::string_view, Parameter*> by_name_;  // names lie in the parameters
};

// A node in the tree of names, and the store for parameters declared there.
class Scope {
 public:
  explicit Scope(ParameterStore& store, std::string path = "")
      : store_(&store), path_(std::move(path)) {}
  Scope child(std::string_view name) const {
    Scope inner(*store_, join(name));
    inner.placement_ = placement_;
    return inner;
  }
  // Another place in the same tree, by its whole path.
  Scope at(std::string path) const {
    Scope other(*store_, std::move(path));
    other.placement_ = placement_;
    return other;
  }
  // The same place, where what states no placement of its own gets this one.
  Scope placing(Placement placement) const {
    Scope same = *this;
    same.placement_ = placement;
    return same;
  }
  Parameter& parameter(std::string_view name, Shape shape, Init init) const {
    return parameter(name, shape, std::move(init), placement_);
  }
  Parameter& parameter(std::string_view name, Shape shape, Init init, Placement placement) const {
    return store_->declare(join(name), shape, std::move(init), placement);
  }
  const std::string& path() const { return path_; }
  ParameterStore& store() const { return *store_; }

 private:
  std::string join(std::string_view name) const;

  ParameterStore* store_;
  std::string path_;
  Placement placement_;
};

}  // namespace ty
