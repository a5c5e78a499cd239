#include "models/transformer/block.h"

#include <utility>

#include "core/base/error.h"
#include "models/linear/base/observed.h"

namespace ty {

LinearPass pass_of(const ForwardContext& context) {
  return {.training = context.training,
          .seed = context.seed,
          .step = context.step,
          .first_sample = context.batch.first_sample,
          .sequences = context.batch.sequences,
          .copies = context.batch.copies,
          .latents = context.latents};
}

LinearSpec BlockContext::choose(const std::string& path, const LinearShape& shape,
                                WeightReaders readers) const {
  LinearSpec spec = linear.choose(path, shape);
  if (sites != nullptr) sites->push_back({path, shape, spec, readers});
  return spec;
}

std::unique_ptr<Linear> BlockContext::make_linear(std::string_view name, const LinearShape& shape,
                                                  Split split) const {
  return make_linear(name, shape, split, choose_layout(shared_layer(name, shape, split), sharing));
}

std::unique_ptr<Linear> BlockContext::make_linear(std::string_view name, const LinearShape& shape,
                                                  Split split, const LayoutChoice& layout) const {
  const Scope place = scope.child(name);
  const LinearSpec spec = choose(place.path(), shape);
  if (sites != nullptr) sites->back().layout = layout;
  Sharing own = sharing;
  own.layout = layout.layout;
  auto layer = ty::make_linear(place, shape, spec, split, own);
  if (layers != nullptr) layers->push_back(layer.get());
  if (observer == nullptr || !observer->watches(place.path())) return layer;
  return observed(place.path(), std::move(layer), *observer);
}

std::unique_ptr<Linear> make_outside_linear(const BlockContext& at, std::string_view name,
                                            const LinearShape& shape) {
  if (at.sharing.has_own_columns()) {
    throw ConfigError(Key{"linear"},
                      "layout: hidden cuts the columns that {} reads whole; want another layout",
                      at.scope.child(name).path());
  }
  return at.make_linear(name, shape, Split::none);
}

SharedLayer BlockContext::shared_layer(std::string_view name, const LinearShape& shape,
                                       Split split) const {
  const std::string path = scope.child(name).path();
  LinearSpec spec = linear.choose(path, shape);
  LayoutOptions options = linear.layouts_of(path, spec, shape, split, sharing);
  return {std::move(spec), shape, split, std::move(options)};
}

}  // namespace ty
