#include "launch/run/sample.h"

#include <algorithm>

#include "models/generation/generation.h"

namespace ty {

namespace {
constexpr std::int64_t kPromptTokens = 4;
constexpr std::int64_t kSampleTokens = 80;
}  // namespace

std::string sample_text(const Model& model, Backend& backend, std::int64_t context,
                        const Dataset& dataset, std::uint64_t seed, const Group& pipeline) {
  const TokenFile& source = dataset.valid_tokens ? *dataset.valid_tokens : *dataset.train_tokens;
  std::vector<std::int32_t> ids(static_cast<std::size_t>(std::min(kPromptTokens, source.size())));
  source.copy(0, ids);
  const Generator generator = {
      .model = model, .backend = backend, .context = context, .pipeline = pipeline};
  const Ids next =
      generate(generator, text_ids(*dataset.tokenizer), {ids},
               {.max_tokens = kSampleTokens, .temperature = 0.8, .top_k = 50, .seed = seed})
          .front();
  ids.insert(ids.end(), next.begin(), next.end());
  return dataset.tokenizer->decode(ids);
}

}  // namespace ty
