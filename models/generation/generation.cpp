#include "models/generation/generation.h"

#include <utility>

namespace ty {

std::vector<Ids> generate(const Generator& generator, const TextIds& text,
                          const std::vector<Ids>& prompts, const SamplingOptions& options,
                          const OnToken& on_token) {
  std::vector<Ids> made(prompts.size());
  Decoder decoder(generator, options.max_tokens);
  std::vector<std::vector<float>> logits = decoder.start(prompts);
  std::vector<std::size_t> prompt_of;  // of each sequence that goes on
  for (std::size_t i = 0; i < prompts.size(); ++i) prompt_of.push_back(i);
  for (std::int64_t token = 0;; ++token) {
    Ids next;
    std::vector<std::size_t> left;
    std::vector<std::int64_t> kept;
    for (std::size_t b = 0; b < prompt_of.size(); ++b) {
      const Ids& ids = decoder.sequences()[b];
      apply_rules(logits[b], ids, text, options.repetition);
      apply_forced(logits[b], token, options.max_tokens, text);
      const auto id = sample_token(logits[b], options, std::ssize(ids));
      if (!id || id == text.end) continue;
      made[prompt_of[b]].push_back(*id);
      if (on_token) on_token(prompt_of[b], *id);
      next.push_back(*id);
      left.push_back(prompt_of[b]);
      kept.push_back(static_cast<std::int64_t>(b));
    }
    if (left.empty() || token + 1 == options.max_tokens) return made;
    prompt_of = std::move(left);
    decoder.keep(kept);
    logits = decoder.add(next);
  }
}

}  // namespace ty
