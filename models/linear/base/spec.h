// What a linear layer's weight is made of: a value of any kind, behind one type.
//
// any_kind.h says what a struct needs to be a kind.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <vector>

#include "models/linear/base/any_kind.h"

namespace ty {

namespace config {
class Checks;
}  // namespace config

template <typename S>
concept LinearKind = requires {
  { S::kKind } -> std::convertible_to<std::string_view>;
};

class LinearSpec {
 public:
  LinearSpec();  // dense (kinds.cpp)
  template <LinearKind S>
  LinearSpec(S spec)  // NOLINT: implicit on purpose
      : kind_(std::make_shared<Kind<S>>(std::move(spec))) {}

  // The struct, if it is of that kind; else null.
  template <typename S>
  const S* as() const {
    const auto* kind = dynamic_cast<const Kind<S>*>(kind_.get());
    return kind == nullptr ? nullptr : &kind->spec;
  }
  friend bool operator==(const LinearSpec& a, const LinearSpec& b) {
    return a.kind_->equals(*b.kind_);
  }

  friend std::string_view kind_name(const LinearSpec& spec) { return spec.kind_->name(); }
  // Its keys, without the one that says which kind it is.
  friend void own_fields(config::Fields& f, LinearSpec& spec) { spec.own().visit(f); }
  friend std::optional<SpecFault> fault_of(const LinearSpec& spec) { return spec.kind_->fault(); }
  // Resolving the result changes nothing. Throws ConfigError that says what would be right.
  friend LinearSpec resolved(const LinearSpec& spec, const LinearShape& shape);
  friend std::string describe(const LinearSpec& spec) { return spec.kind_->described(); }
  // Of a resolved spec:
  friend std::int64_t num_weights(const LinearSpec& spec, const LinearShape& shape) {
    return spec.kind_->weights(shape);
  }
  friend double forward_flops(const LinearSpec& spec, const LinearShape& shape,
                              std::int64_t tokens) {
    return spec.kind_->flops(shape, tokens);
  }
  friend Execution execution_of(const LinearSpec& spec, const LinearShape& shape,
                                std::int64_t tokens) {
    return spec.kind_->execution(shape, tokens);
  }
  // Whether one matrix is all that a layer multiplies by, so that another kind's weight can be made
  // of it, or an adapter's be added to it.
  friend bool is_one_matrix(const LinearSpec& spec) { return spec.kind_->one_matrix(); }
  // How many numbers per token it, or what it is made around, hands to the layer of the same name
  // in the next block; 0: none.
  friend std::int64_t latent_width(const LinearSpec& spec) { return spec.kind_->latents(); }
  // What the layer is made around; null of a kind that stands alone.
  friend const LinearSpec* inner_of(const LinearSpec& spec) { return spec.kind_->inner(); }
  friend LinearSpec with_inner(LinearSpec spec, const LinearSpec& of) {
    spec.own().set_inner(of);
    return spec;
  }
  // How ranks that share a layer can hold it, or the layout that `sharing` names; automatic if one
  // rank has it all. Throws ConfigError if that layout cannot be, or none.
  friend LayoutOptions layouts_of(const LinearSpec& spec, const LinearShape& shape, Split split,
                                  const Sharing& sharing);
  // Of one of several such layouts.
  friend RankWork work_of(const LinearSpec& spec, const LinearShape& shape, LinearLayout layout,
                          Split split, const Sharing& sharing);
  // Declares the parameters of a layer under `scope` and returns it; with the layout automatic, in
  // the one that is best for it alone (layout.h). Throws ConfigError if ranks cannot share a layer
  // of this size.
  friend std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape,
                                             const LinearSpec& spec, Split split,
                                             const Sharing& sharing);

 private:
  template <typename S>
  struct Kind final : AnyLinearKind {
    explicit Kind(S value) : spec(std::move(value)) {}
    std::shared_ptr<AnyLinearKind> clone() const override { return std::make_shared<Kind>(spec); }
    bool equals(const AnyLinearKind& other) const override {
      const auto* same = dynamic_cast<const Kind*>(&other);
      return same != nullptr && same->spec == spec;
    }
    std::string_view name() const override { return S::kKind; }
    void visit(config::Fields& f) override { fields(f, spec); }
    std::optional<SpecFault> fault() const override { return fault_of(spec); }
    LinearSpec resolve(const LinearShape& shape) const override { return resolved(spec, shape); }
    std::string described() const override { return describe(spec); }
    std::int64_t weights(const LinearShape& shape) const override {
      return num_weights(spec, shape);
    }
    double flops(const LinearShape& shape, std::int64_t tokens) const override {
      if constexpr (requires { forward_flops(spec, shape, tokens); }) {
        return forward_flops(spec, shape, tokens);
      } else {
        return as_run()->flops(shape, tokens);
      }
    }
    Execution execution(const LinearShape& shape, std::int64_t tokens) const override {
      if constexpr (requires { execution_of(spec, shape, tokens); }) {
        return execution_of(spec, shape, tokens);
      } else if constexpr (kRunsAsAnother) {
        return as_run()->execution(shape, tokens);
      }
      return {};
    }
    bool one_matrix() const override {
      if constexpr (requires { is_one_matrix(spec); }) return is_one_matrix(spec);
      return true;
    }
    std::int64_t latents() const override {
      if constexpr (requires { latent_width(spec); }) return latent_width(spec);
      if constexpr (requires { spec.of; }) return latent_width(spec.of);
      return 0;
    }
    const LinearSpec* inner() const override {
      if constexpr (requires { spec.of; }) return &spec.of;
      return nullptr;
    }
    void set_inner(const LinearSpec& of) override {
      if constexpr (requires { spec.of; }) spec.of = of;
    }
    std::string obstacle(const LinearShape& shape, Split split, int ranks) const override {
      if constexpr (requires { obstacle_to(spec, shape, split, ranks); }) {
        return obstacle_to(spec, shape, split, ranks);
      } else if constexpr (kRunsAsAnother) {
        return as_run()->obstacle(shape, split, ranks);
      }
      return obstacle_of_kind(S::kKind, "cannot be split");
    }
    std::string rank_obstacle(int ranks) const override {
      if constexpr (requires { obstacle_to_rank_split(spec, ranks); }) {
        return obstacle_to_rank_split(spec, ranks);
      }
      return obstacle_of_kind(S::kKind, "have no rank to split");
    }
    std::string hidden_obstacle() const override {
      if constexpr (requires { obstacle_to_hidden_split(spec); }) {
        return obstacle_to_hidden_split(spec);
      }
      return obstacle_of_kind(S::kKind, "have no two factors to split");
    }
    bool has_shards() const override {
      if constexpr (requires { S::kHasShards; }) return S::kHasShards;
      return false;
    }
    double seconds(const LinearShape& shape, std::int64_t tokens) const override {
      if constexpr (requires { pass_seconds(spec, shape, tokens); }) {
        return pass_seconds(spec, shape, tokens);
      } else if constexpr (kRunsAsAnother) {
        return as_run()->seconds(shape, tokens) + seconds_beside_run(shape, tokens);
      }
      return seconds_of_flops(flops(shape, tokens));
    }
    RankWork split_work(const LinearShape& shape, Split split,
                        const Sharing& sharing) const override {
      if constexpr (requires { work_when_split(spec, shape, split, sharing); }) {
        return work_when_split(spec, shape, split, sharing);
      } else if constexpr (kRunsAsAnother) {
        return work_as_run(shape, split, sharing);
      }
      return even_work(seconds(shape, kStepTokens), static_cast<double>(weights(shape)), shape,
                       split, sharing.ranks());
    }
    std::unique_ptr<Linear> make(const Scope& scope, const LinearShape& shape, Split split,
                                 const Sharing& sharing) const override {
      return make_linear(scope, shape, spec, split, sharing);
    }
    S spec;

   private:
    static constexpr bool kRunsAsAnother = requires(const S& s) { runs_as(s); };
    std::shared_ptr<AnyLinearKind> as_run() const { return LinearSpec(runs_as(spec)).kind_; }
    // Of making that kind's weights out of its own.
    double seconds_beside_run(const LinearShape& shape, std::int64_t tokens) const {
      return seconds_of_flops(flops(shape, tokens) - as_run()->flops(shape, tokens));
    }
    // The weights that the other kind divides are its own; the rest every rank holds.
    RankWork work_as_run(const LinearShape& shape, Split split, const Sharing& sharing) const {
      RankWork work = as_run()->split_work(shape, split, sharing);
      const double divided = work.weights - work.gradients;
      work.seconds += seconds_beside_run(shape, kStepTokens);
      work.gradients = static_cast<double>(weights(shape)) - divided * sharing.ranks();
      work.weights = divided + work.gradients;
      return work;
    }
  };

  // The kind, seen by no other copy of this value.
  AnyLinearKind& own() {
    if (kind_.use_count() > 1) kind_ = kind_->clone();
    return *kind_;
  }

  std::shared_ptr<AnyLinearKind> kind_;
};

// The key `kind`, which chooses among linear_kinds(), and that kind's own keys beside it
// (kinds.cpp).
void fields(config::Fields& f, LinearSpec& spec);
void check(const LinearSpec& spec, config::Checks& checks);

LinearSpec resolved(const LinearSpec& spec, const LinearShape& shape);
LayoutOptions layouts_of(const LinearSpec& spec, const LinearShape& shape, Split split,
                         const Sharing& sharing);
RankWork work_of(const LinearSpec& spec, const LinearShape& shape, LinearLayout layout, Split split,
                 const Sharing& sharing);
std::unique_ptr<Linear> make_linear(const Scope& scope, const LinearShape& shape,
                                    const LinearSpec& spec, Split split, const Sharing& sharing);

}  // namespace ty
