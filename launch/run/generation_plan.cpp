#include "launch/run/generation_plan.h"

#include <algorithm>
#include <utility>

#include "core/backend/dry/dry_backend.h"
#include "launch/run/shared_model.h"
#include "models/generation/decoder.h"
#include "parallel/comm/phantom/phantom.h"

namespace ty {

GenerationPlan plan_generation(const ModelSpec& spec, DType dtype, const GenerationShape& shape,
                               const MeshShape& mesh) {
  DryBackend backend;
  const Mesh phantom(Group(std::make_shared<PhantomCommunicator>(0, mesh.size())), mesh);
  const OpenedModel declared =
      declare_model(spec, backend, only_run(dtype), 1, 1, part_to_run(spec, phantom, backend));
  Generator generator = {.model = *declared.model,
                         .backend = backend,
                         .context = spec.context,
                         .pipeline = phantom.pipeline(),
                         .cached = shape.cached};
  if (spec.has_encoder()) generator.decoder_start = 0;
  std::vector<Ids> prompts;
  for (const std::int64_t length : shape.prompts) {
    prompts.emplace_back(static_cast<std::size_t>(length), 0);
  }
  Decoder decoder(generator, shape.max_tokens);
  decoder.start(std::move(prompts));
  std::int64_t cache_bytes = decoder.cache_bytes();
  std::vector<std::int64_t> rows;
  for (std::size_t i = 0; i < shape.prompts.size(); ++i) {
    rows.insert(rows.end(), static_cast<std::size_t>(shape.beams), static_cast<std::int64_t>(i));
  }
  std::int64_t longest = 0;
  for (const Ids& ids : decoder.sequences()) longest = std::max(longest, std::ssize(ids));
  // Where the model sees no more than before, passes are alike.
  const std::int64_t passes =
      std::min(shape.passes, std::max<std::int64_t>(2, spec.context + 2 - longest));
  for (std::int64_t pass = 1; pass < passes; ++pass) {
    decoder.keep(rows);
    decoder.add(Ids(rows.size(), 0));
    cache_bytes = std::max(cache_bytes, decoder.cache_bytes());
    // From now on each beam may take another's place.
    if (shape.beams > 1) rows.assign(rows.size(), 0);
  }
  return {backend.memory().stats(), cache_bytes};
}

}  // namespace ty
