// Ranks that share a layer compute what one rank does, for every linear layer.
#include <optional>

#include "core/autograd/backward.h"
#include "core/base/error.h"
#include "parallel/comm/threads/threads.h"
#include "tests/support/messages.h"
#include "tests/unit/models/linear_contract.h"

namespace ty::test {
namespace {

// The tensor train that the layer is or runs as, if it does.
std::optional<TtmSpec> train_of(const LinearSpec& spec) {
  if (const auto* ttm = spec.as<TtmSpec>()) return *ttm;
  if (const auto* kronecker = spec.as<KroneckerSpec>()) return runs_as(*kronecker);
  if (const auto* cp = spec.as<CpSpec>()) return runs_as(*cp);
  if (const auto* tucker = spec.as<TuckerSpec>()) return runs_as(*tucker);
  return {};
}

// Whether each of so many ranks can hold a part of the layer.
bool has_parts(const LinearRow& row, Split split, int ranks) {
  if (row.spec.as<RowTrainsSpec>() != nullptr) return false;
  if (const auto* lora = row.spec.as<LoraSpec>()) {
    return obstacle_to(*lora, row.shape, split, ranks).empty();
  }
  if (row.spec.as<BttSpec>() != nullptr || row.spec.as<LaxSpec>() != nullptr) return false;
  if (row.spec.as<ScaledSpec>() != nullptr) return true;
  if (const auto* bottleneck = row.spec.as<BottleneckSpec>()) {
    return obstacle_to(*bottleneck, row.shape, split, ranks).empty();
  }
  const auto train = train_of(row.spec);
  return !train || obstacle_to(*train, row.shape, split, ranks).empty();
}

// A part of a matrix, for a rank: own rows or own columns, as even as can be.
Tensor own_part_of(const Tensor& whole, int dim, const Group& ranks) {
  const std::int64_t size = whole.dim(dim), n = ranks.size();
  const std::int64_t first = size * ranks.rank() / n, last = size * (ranks.rank() + 1) / n;
  return whole.alias(whole.view().slice(dim, first, last - first)).contiguous();
}

class LinearSharing : public Contract {
 protected:
  void expect_shared(Split split, const Sharing& sharing);
};
INSTANTIATE_TEST_SUITE_P(Every, LinearSharing, every_row(), name_of_row);

// Result, gradient of the input and gradients of all parameters are those of the layer on one rank,
// once what is partial over the ranks is summed.
void LinearSharing::expect_shared(Split split, const Sharing& sharing) {
  const auto whole = make();
  const Tensor x = make_leaf(input({6, in_}));
  const Tensor dy = random_tensor(*backend_, {6, out_}, "dy");
  const Tensor y = whole->linear->forward(x);
  backward(y, dy);

  Map own;
  own.linear = make_linear(Scope(own.store, "layer").placing(placed_outside(sharing)), row_.shape,
                           row_.spec, split, sharing);
  own.flat = std::make_unique<FlatParameters>(own.store, plan_flat_layout(own.store, 1 << 20, 1),
                                              *backend_, FlatOptions{DType::f64, DType::f64});
  own.flat->initialise(3);
  fill_zeros(own.store, *backend_);
  const auto outside = [&](const Tensor& t) {
    if (sharing.columns) return own_part_of(t, 1, sharing.tensor);
    return sharing.rows ? own_part_of(t, 0, sharing.tensor) : t.detach();
  };
  const auto inside = [&](const Tensor& t) { return own_part_of(t, 1, sharing.tensor); };
  const bool out = split == Split::out;
  const Tensor own_x = make_leaf(out ? outside(x) : inside(x));
  const Tensor own_y = own.linear->forward(own_x);
  const auto wanted_y = doubles(out ? inside(y) : outside(y));
  EXPECT_LT(largest_difference(doubles(own_y), wanted_y), 1e-10);
  backward(own_y, out ? inside(dy) : outside(dy));
  const auto wanted_dx = doubles(out ? outside(grad_of(x)) : inside(grad_of(x)));
  EXPECT_LT(largest_difference(doubles(grad_of(own_x)), wanted_dx), 1e-10);
  for (const Parameter& p : own.store.all()) {
    const Tensor gradient = grad_of(p.value);
    if (!gradient.defined()) continue;  // nor is there one of the whole layer
    if (p.placement.partial.has(Axis::tensor)) {
      sharing.tensor.all_reduce(gradient.view(), ReduceOp::sum).wait();
    }
    const auto all = doubles(grad_of(whole->store.find(p.name)->value));
    EXPECT_LT(largest_difference(doubles(gradient), part_of(all, p)), 1e-9) << p.name;
  }
}

TEST_P(LinearSharing, RanksShareIt) {
  for (const int ranks : {2, 3}) {
    for (const Split split : {Split::out, Split::in}) {
      for (const bool rows : {false, true}) {
        for (const auto layout : {LinearLayout::split, LinearLayout::whole}) {
          const bool is_whole = layout == LinearLayout::whole;
          SCOPED_TRACE(fmt::format("{} ranks, {}, own rows {}, whole {}", ranks,
                                   split == Split::out ? "out" : "in", rows, is_whole));
          const std::int64_t inside = split == Split::out ? out_ : in_;
          const auto share = [&] {
            run_ranks(ranks, [&](const Group& group) {
              expect_shared(split, {.tensor = group, .rows = rows, .layout = layout});
            });
          };
          const bool is_even = inside % ranks == 0 || (split == Split::out && !rows);
          if (is_whole ? is_even : has_parts(row_, split, ranks)) {
            share();
          } else {
            const std::string refused = message_of<ConfigError>(share);
            EXPECT_TRUE(refused.starts_with(
                fmt::format("layout: {} over {} ranks: ", is_whole ? "whole" : "split", ranks)))
                << refused;
          }
        }
      }
    }
  }
}

// Between own columns outside too: svd layers hidden, others gather them.
TEST_P(LinearSharing, RanksWithOwnColumnsShareIt) {
  for (const int ranks : {2, 3}) {
    if (in_ % ranks != 0 || out_ % ranks != 0) continue;
    for (const Split split : {Split::out, Split::in}) {
      SCOPED_TRACE(fmt::format("{} ranks, {}", ranks, split == Split::out ? "out" : "in"));
      const auto share = [&] {
        run_ranks(ranks, [&](const Group& group) {
          expect_shared(split, {.tensor = group, .columns = true});
        });
      };
      const bool is_around = adapted(row_.spec) != nullptr || row_.spec.as<ScaledSpec>() != nullptr;
      if (is_around && has_parts(row_, split, ranks)) {
        EXPECT_EQ(message_of<ConfigError>(share),
                  fmt::format("layer: {} layers are not shared where another layer is hidden",
                              kind_name(row_.spec)));
        continue;
      }
      if (has_parts(row_, split, ranks)) {
        share();
      } else {
        EXPECT_TRUE(message_of<ConfigError>(share).starts_with(
            fmt::format("layout: auto over {} ranks where another layer is hidden: ", ranks)));
      }
    }
  }
}

}  // namespace
}  // namespace ty::test
