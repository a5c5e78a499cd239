// What every kind of linear layer can be asked: LinearSpec (spec.h) holds one behind this type, and
// makes it from the functions of a plain struct.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/linear/base/linear.h"
#include "models/linear/base/rank_work.h"

namespace ty {

namespace config {
class Fields;
}  // namespace config

class LinearSpec;

// What is wrong with a spec.
struct SpecFault {
  std::string key, message;  // "ranks", "3 are given, but 3 cores have 2 inner bonds"
};

// How a layer runs, in words; empty where there is only one way.
struct Execution {
  std::string forward, backward;
};

// The layouts in which ranks can hold a layer; at least one.
struct LayoutOptions {
  std::vector<LinearLayout> layouts = {};
  std::string only = {};  // if it is one: why
};

struct AnyLinearKind {
  virtual ~AnyLinearKind() = default;
  virtual std::shared_ptr<AnyLinearKind> clone() const = 0;
  virtual bool equals(const AnyLinearKind& other) const = 0;
  virtual std::string_view name() const = 0;
  virtual void visit(config::Fields& f) = 0;
  virtual std::optional<SpecFault> fault() const = 0;
  virtual LinearSpec resolve(const LinearShape& shape) const = 0;
  virtual std::string described() const = 0;
  virtual std::int64_t weights(const LinearShape& shape) const = 0;
  virtual double flops(const LinearShape& shape, std::int64_t tokens) const = 0;
  virtual Execution execution(const LinearShape& shape, std::int64_t tokens) const = 0;
  virtual std::string obstacle(const LinearShape& shape, Split split, int ranks) const = 0;
  virtual std::string rank_obstacle(int ranks) const = 0;
  virtual std::string hidden_obstacle() const = 0;
  virtual bool has_shards() const = 0;
  virtual double seconds(const LinearShape& shape, std::int64_t tokens) const = 0;
  virtual RankWork split_work(const LinearShape& shape, Split split,
                              const Sharing& sharing) const = 0;
  virtual std::unique_ptr<Linear> make(const Scope& scope, const LinearShape& shape, Split split,
                                       const Sharing& sharing) const = 0;
};

}  // namespace ty
