// A tiny model whose parameters are cut by hand, as a tensor-parallel model's are: one rank's
// weights and moments, filled with random numbers that are the same for every layout.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/glob.h"
#include "core/base/rounding.h"
#include "launch/run/checkpointing.h"
#include "parallel/mesh/mesh.h"
#include "tests/support/tensors.h"

namespace ty::test {

struct Layout {
  int data = 1, tensor = 1;
  bool zero = false;
  int ranks() const { return data * tensor; }
};

inline std::string name_of(const Layout& layout) {
  return fmt::format("{}x{}{}", layout.data, layout.tensor, layout.zero ? "z" : "");
}

// With 9 rows of the table, 2 ranks have one row of padding and the last of 4 has nothing else.
inline ModelSpec tiny(bool tied) {
  return {.layers = 2, .width = 12, .heads = 3, .context = 5, .vocab = 9, .tied = tied};
}

// Which parameters a tensor-parallel model cuts, and along which dimension.
struct Cut {
  const char* pattern;
  int dim;
};
inline constexpr std::array<Cut, 8> kCuts = {{{"*.attn.qkv.weight", 1},
                                              {"*.attn.qkv.bias", 0},
                                              {"*.attn.out.weight", 0},
                                              {"*.mlp.up.weight", 1},
                                              {"*.mlp.up.bias", 0},
                                              {"*.mlp.down.weight", 0},
                                              {"embeddings.token.weight", 0},
                                              {"head.linear.weight", 1}}};

// Declares a rank's part of the model's parameters.
inline void declare_part(ParameterStore& store, const Model& whole, const Group& tensor) {
  for (const Parameter& parameter : whole.parameters().all()) {
    Shape shape = parameter.shape;
    Placement placement = {.counted = tensor.rank() == 0};
    for (const Cut& cut : kCuts) {
      if (tensor.size() == 1 || !glob_match(cut.pattern, parameter.name)) continue;
      shape[cut.dim] = divided_up(parameter.shape[cut.dim], tensor.size());
      placement = {.slice = {cut.dim, tensor.rank() * shape[cut.dim], parameter.shape[cut.dim]}};
    }
    Parameter& part = store.declare(parameter.name, shape, Init::constant(0), placement);
    part.trainable = parameter.name != "embeddings.position.weight";
  }
}

// What a rank holds of random numbers that are the same for all; `padding` where there are none.
inline Tensor part_of_random(Backend& backend, const Parameter& parameter,
                             const std::string& stream, DType dtype, double padding) {
  const Tensor all = random_tensor(backend, parameter.whole(), stream + parameter.name);
  const Slice& cut = parameter.placement.slice;
  if (cut.dim < 0) return all.to(dtype);
  const Tensor part = Tensor::full(backend, parameter.shape, DType::f64, padding);
  const std::int64_t count = std::min(parameter.shape[cut.dim], cut.whole - cut.first);
  if (count > 0) {
    backend.copy(part.view().slice(cut.dim, 0, count), all.view().slice(cut.dim, cut.first, count));
  }
  return part.to(dtype);
}

// One rank's weights and moments.
struct Rank {
  ModelSpec spec;
  Layout layout;
  Mesh mesh;
  std::unique_ptr<Backend> backend = make_reference_backend();
  ParameterStore store;
  std::unique_ptr<FlatParameters> flat;
  std::unique_ptr<GradientReducer> reducer;
  std::unique_ptr<Optimizer> optimizer;
  LossScale loss_scale;

  Rank(const Group& world, const Layout& on, ModelSpec model, const FlatOptions& options)
      : spec(std::move(model)), layout(on), mesh(world, {.data = on.data, .tensor = on.tensor}) {
    const Model whole(describe_model(spec), LinearRules());
    declare_part(store, whole, mesh.tensor());
    flat = std::make_unique<FlatParameters>(
        store, plan_flat_layout(store, 300, mesh.stage().size()), *backend, options);
    reducer = std::make_unique<GradientReducer>(
        *flat, AxisGroups{.data = mesh.data(), .tensor = mesh.tensor(), .stage = mesh.stage()},
        ReducerOptions{on.zero});
    optimizer = make_adamw(*flat, reducer->owned_pieces(),
                           [](const Parameter&) { return UpdateOptions(); }, {});
  }

  // Calls each(parameter, what it holds, name of its random numbers) for weights and moments.
  template <typename Each>
  void for_each_tensor(Each each) const {
    for (std::size_t i = 0; i < store.all().size(); ++i) {
      each(store.all()[i], Range{0, store.all()[i].shape.numel()},
           flat->weight_of(i).alias(contiguous_view(flat->weight_of(i).view().data,
                                                    flat->weight_of(i).dtype(),
                                                    {store.all()[i].shape.numel()})),
           std::string("weight "));
    }
    for (const Optimizer::State& state : optimizer->states()) {
      std::int64_t first = 0;
      for (const Piece& piece : optimizer->pieces()) {
        each(store.all()[piece.parameter], piece.inside,
             slice(state.flat, {first, piece.inside.count}), state.name + " ");
        first += piece.inside.count;
      }
    }
  }
  void fill_random(double padding) {
    for_each_tensor([&](const Parameter& parameter, Range inside, const Tensor& to,
                        const std::string& stream) {
      const Tensor part = part_of_random(*backend, parameter, stream, to.dtype(), padding);
      const Tensor row =
          part.alias(contiguous_view(part.view().data, part.dtype(), {parameter.shape.numel()}));
      backend->copy(to.view(), slice(row, inside).view());
    });
    flat->refresh_model();
  }
  void fill_garbage() {
    for_each_tensor([&](const Parameter&, Range, const Tensor& to, const std::string&) {
      backend->fill(to.view(), NAN);
    });
  }
  // All numbers are the random ones, and zero where a slice is padding.
  void expect_random() const {
    for_each_tensor([&](const Parameter& parameter, Range inside, const Tensor& found,
                        const std::string& stream) {
      const auto all = doubles(part_of_random(*backend, parameter, stream, found.dtype(), 0.0));
      const std::vector<double> wanted(all.begin() + inside.first,
                                       all.begin() + inside.first + inside.count);
      EXPECT_EQ(doubles(found), wanted) << stream << parameter.name << " on " << name_of(layout)
                                        << ", rank " << mesh.world().rank();
    });
  }
  TrainingState state() { return {spec, *flat, *reducer, *optimizer, loss_scale}; }
  CheckpointContext context(const Path& directory) const {
    return {.directory = directory,
            .run_id = "run",
            .mesh = mesh,
            .tokenizer_directory = {},
            .sharded = layout.zero};
  }
  // Saves after one step into `directory`/step-1, which must go well.
  void save(const Path& directory) {
    const SaveOutcome outcome =
        save_checkpoint(context(directory), state(), {.step = 1, .samples = 2, .tokens = 3});
    EXPECT_EQ(outcome.error + outcome.warning, "");
  }
  // Goes on from what save() wrote, which must be the random numbers.
  void restore(const Path& directory) {
    fill_garbage();
    const Position at = restore_checkpoint(context(directory), {1, directory / "step-1"}, state());
    EXPECT_EQ(at.samples, 2);
    expect_random();
  }
};

}  // namespace ty::test
