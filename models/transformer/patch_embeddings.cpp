#include "models/transformer/patch_embeddings.h"

#include <vector>

#include "core/ops/matmul.h"
#include "core/ops/shape.h"

namespace ty {

namespace {

// The class token is of type 0, patches are of type 1.
Tensor types_of(const Tensor& patches) {
  const std::int64_t sequences = patches.dim(0), length = patches.dim(1);
  std::vector<std::int32_t> types(static_cast<std::size_t>(sequences * length), 1);
  for (std::int64_t b = 0; b < sequences; ++b) types[static_cast<std::size_t>(b * length)] = 0;
  return Tensor::from<std::int32_t>(patches.backend(), {sequences, length}, types);
}

}  // namespace

PatchEmbeddings::PatchEmbeddings(const BlockContext& at, const ModelSpec& spec)
    : sharing_(at.sharing),
      projection_(declare_along_columns(at.scope, "patch.weight",
                                        {spec.image.patch_numbers(), spec.width}, 1,
                                        Init::normal(kEmbeddingStd), at.sharing)),
      places_(at, spec, true) {}

Flow PatchEmbeddings::forward(Flow, const ForwardContext& context) const {
  const Tensor& patches = context.batch.at(Column::patches);
  Tensor x = patches.to(projection_.value.dtype());
  if (sharing_.has_own_rows()) {
    const std::int64_t count = x.dim(0) * x.dim(1) / sharing_.ranks();
    x = narrow(reshape(x, {-1, x.dim(2)}), 0, sharing_.tensor.rank() * count, count);
  }
  x = linear(x, projection_.value, Tensor());
  return {places_(x, patches.dim(1), types_of(patches), context)};
}

}  // namespace ty
