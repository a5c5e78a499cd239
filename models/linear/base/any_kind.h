// What every kind of linear layer can be asked: LinearSpec (spec.h) holds one behind this type, and
// makes it from the functions of a plain struct.
//
// A kind is a plain struct and a set of functions on it, all in one pair of files (dense/, svd/,
// ttm/), and a row in kinds.cpp. A struct S is a kind if it has:
//
//   S::kKind                           "svd", as in the job file
//   fields(config::Fields&, s)         its keys: of the job file and of config.json alike
//   fault_of(s)                        what is wrong with it, whatever layer it is for
//   resolved(s, shape)                 one without a fault, all sizes worked out for a layer
//   describe(s)                        "svd rank 64"
//   num_weights(s, shape)              of a resolved one, bias excluded
//   forward_flops(s, shape, tokens)    of a forward pass, bias excluded
//   make_linear(scope, shape, s, split, sharing)
//   runs_as(s)                         the spec of another kind that it runs as: it is asked for
//                                      what a kind need not define and for forward_flops(), where
//                                      this one does not say (optional)
//   execution_of(s, shape, tokens)     how it will run (optional)
//   is_one_matrix(s)                   whether x W + b is all that it makes of x, with one matrix W
//                                      (optional; without it, it is)
//   latent_width(s)                    how many numbers per token it hands to the layer of the same
//                                      name in the next block (lax/lax.h; optional: 0)
//   obstacle_to(s, shape, split, ranks) why ranks cannot each hold a part; "" if they can
//                                      (optional; without it they hold the layer whole)
//   obstacle_to_rank_split(s, ranks)   why ranks cannot each hold a part of the rank; "" if they
//                                      can: make_linear() with Split::none does (optional)
//   obstacle_to_hidden_split(s)        why ranks cannot each hold a part of both factors; "" if
//                                      they can (optional)
//   S::kHasShards                      true if a rank's part is computed shard by shard
//                                      (shards_of()), so that its sums can be canonical; else they
//                                      are if every rank holds it whole (optional)
//   pass_seconds(s, shape, tokens)     of a forward and backward pass, by the model of
//                                      rank_work.h (optional; without it, of forward_flops())
//   work_when_split(s, shape, split, sharing) of a rank that holds a part (optional; without it,
//                                      an even part of all)
//   s == s
//
// Kinds compose by nesting: one that adapts, masks or stores another's weight holds a LinearSpec,
// its member `of`.
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

// "dense layers have no rank to split"
std::string obstacle_of_kind(std::string_view kind, const char* what);

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
  virtual bool one_matrix() const = 0;
  virtual std::int64_t latents() const = 0;
  virtual const LinearSpec* inner() const = 0;
  virtual void set_inner(const LinearSpec& of) = 0;
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
