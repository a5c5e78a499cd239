// Parameters: declared by name while a model is built, given memory all at once afterwards.
//
// Building a model only declares; so a plan of any model costs nothing, and the memory can be laid
// out flat, in the buckets that gradient reduction and sharded optimizers work on.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor/tensor.h"

namespace ty {

// How a parameter starts: normal with a standard deviation, a constant, or values computed on the
// host. A normal draw depends on (seed, name, position in the whole parameter) only.
struct Init {
  enum class Kind : std::uint8_t { normal, constant, computed };
  using Compute = std::function<std::vector<double>(std::uint64_t seed)>;  // of the whole parameter
  Kind kind = Kind::constant;
  double value = 0.0;  // standard deviation, or the constant
  Compute compute = {};

  static Init normal(double std) { return {Kind::normal, std}; }
  static Init constant(double value) { return {Kind::constant, value}; }
  static Init computed(Compute compute) { return {Kind::computed, 0.0, std::move(compute)}; }
};

// How a rank's part relates to the others': over which mesh axes its gradient is a partial sum.
// Reducers, norms and checkpoints read this and nothing else.
struct Placement {
  bool partial_over_data = true;
};

struct Parameter {
  std::string name;  // e.g. "blocks.3.mlp.up.weight"
  Shape shape;
  Init init;
  Placement placement;
  Tensor value;  // a leaf; undefined until the store has memory
};

// The parameters of one rank's part of a model, in order of declaration. Addresses are stable.
class ParameterStore {
 public:
  // Throws InternalError if the name is taken.
  Parameter& declare(std::string name, Shape shape, Init init, Placement placement = {});
  // Null if there is none of that name.
  Parameter* find(std::string_view name);
  std::deque<Parameter>& all() { return parameters_; }
  const std::deque<Parameter>& all() const { return parameters_; }
  // Numbers in all parameters together.
  std::int64_t count() const;

 private:
  std::deque<Parameter> parameters_;
};

// A place in the tree of names, and where what is declared there goes.
class Scope {
 public:
  explicit Scope(ParameterStore& store, std::string path = "")
      : store_(&store), path_(std::move(path)) {}
  Scope child(std::string_view name) const { return Scope(*store_, join(name)); }
  Parameter& parameter(std::string_view name, Shape shape, Init init) const {
    return store_->declare(join(name), shape, init);
  }
  const std::string& path() const { return path_; }
  ParameterStore& store() const { return *store_; }

 private:
  std::string join(std::string_view name) const;

  ParameterStore* store_;
  std::string path_;
};

}  // namespace ty
