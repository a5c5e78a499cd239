#include "launch/run/masked_windows.h"

#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/data/masking.h"

namespace ty {

HiddenTokens hidden_tokens_of(const JobConfig& job) {
  return {.rate = job.task.mask_rate,
          .whole_words = job.task.whole_words,
          .seed = static_cast<std::uint64_t>(job.run.seed)};
}

std::unique_ptr<Source> masked_windows(std::unique_ptr<Source> windows, const Frame& frame,
                                       const HiddenTokens& hidden, const Tokenizer* tokenizer,
                                       const ModelSpec& spec) {
  if (tokenizer == nullptr || !tokenizer->special().mask) {
    throw ConfigError(Key{"tokenizer"},
                      "has no token for what is hidden, as task.kind: masked_lm "
                      "wants; want kind: wordpiece, or a directory whose tokenizer has one");
  }
  MaskingOptions options = {.rate = hidden.rate,
                            .mask = *tokenizer->special().mask,
                            .vocab = spec.vocab,
                            .special = std::vector<bool>(static_cast<std::size_t>(spec.vocab)),
                            .types = spec.types > 0,
                            .seed = hidden.seed};
  for (const SpecialTokenRole& role : kSpecialTokenRoles) {
    const std::optional<std::int32_t> id = tokenizer->special().*role.id;
    if (id && *id < spec.vocab) options.special[static_cast<std::size_t>(*id)] = true;
  }
  if (hidden.whole_words) {
    for (std::int32_t id = 0; id < spec.vocab; ++id) {
      options.continues.push_back(tokenizer->continues_word(id));
    }
  }
  return masked_source(framed_source(std::move(windows), frame), options);
}

}  // namespace ty
