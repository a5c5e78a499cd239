#include "launch/run/text_generator.h"

#include <algorithm>
#include <iterator>

#include "core/base/error.h"
#include "core/data/encoding.h"
#include "launch/run/model_setup.h"
#include "models/huggingface/generation_keys.h"

namespace ty {

void require_writer(const Path& directory, const ModelSpec& spec) {
  if (spec.generates()) return;
  const char* why = "this head does not give the next token";
  if (spec.reads_images()) why = "it reads images";
  if (!spec.causal && !spec.reads_images()) why = "it reads texts and writes none";
  throw DataError(
      "{}: a model of family {} cannot generate: {}; want a decoder or an encoder-decoder with a "
      "language head",
      directory.string(), spec.family, why);
}

TextGenerator::TextGenerator(const Path& directory, const SharedModel& shared,
                             const Tokenizer& tokenizer, Backend& backend, bool cached)
    : tokenizer_(tokenizer),
      generator_{.model = *shared.opened.model,
                 .backend = backend,
                 .context = shared.opened.spec.context,
                 .pipeline = shared.mesh.pipeline(),
                 .cached = cached},
      allowed_(text_ids(tokenizer)) {
  const ModelSpec& spec = shared.opened.spec;
  require_writer(directory, spec);
  check_vocab(spec, directory, tokenizer.vocab_size());
  const GenerationKeys keys = read_generation_keys(directory, spec);
  allowed_.forced_first = keys.forced_first;
  allowed_.forced_last = keys.forced_last;
  if (!spec.has_encoder()) return;
  generator_.decoder_start = keys.decoder_start ? keys.decoder_start : tokenizer.end_of_text();
  if (!generator_.decoder_start) {
    throw DataError(
        "{}: neither decoder_start_token_id nor an end of text, with which the decoder would begin",
        directory.string());
  }
}

Ids TextGenerator::ids_of(const std::string& text) const {
  Ids ids =
      answers() ? encode_with_special(tokenizer_, text).ids : encode_beginning(tokenizer_, text);
  if (!ids.empty()) return ids;
  if (!tokenizer_.end_of_text()) {
    throw UsageError(
        "generate: there is no prompt, and the tokenizer has no end of text to start from; give a "
        "prompt");
  }
  return {*tokenizer_.end_of_text()};
}

Ids TextGenerator::fitting_ids_of(const std::string& text) const {
  Ids ids = ids_of(text);
  if (!answers() || std::ssize(ids) <= context()) return ids;
  return encode_with_special(tokenizer_, text, std::nullopt, context()).ids;
}

std::vector<Ids> TextGenerator::make(const std::vector<Ids>& prompts,
                                     const GenerationMethod& method,
                                     const OnToken& on_token) const {
  if (method.beams) return beam_search(generator_, allowed_, prompts, *method.beams);
  return generate(generator_, allowed_, prompts, method.sampling, on_token);
}

std::string TextGenerator::decoded(const Ids& ids) const {
  Ids words;
  std::copy_if(ids.begin(), ids.end(), std::back_inserter(words),
               [&](std::int32_t id) { return !tokenizer_.is_special(id); });
  return tokenizer_.decode(words);
}

// Whether a token begins with a space may depend on there being one before it, so what follows a
// prompt is decoded behind its ids.
std::string TextGenerator::text_of(const std::string& prompt, const Ids& made) const {
  if (answers() || prompt.empty()) return decoded(made);
  Ids ids = ids_of(prompt);
  const std::size_t length = decoded(ids).size();
  ids.insert(ids.end(), made.begin(), made.end());
  return prompt + decoded(ids).substr(length);
}

std::vector<std::string> TextGenerator::texts_for(std::span<const std::string> texts,
                                                  const GenerationMethod& method,
                                                  std::int64_t batch) const {
  std::vector<std::string> all;
  while (!texts.empty()) {
    const auto part = texts.first(std::min(texts.size(), static_cast<std::size_t>(batch)));
    texts = texts.subspan(part.size());
    std::vector<Ids> prompts;
    for (const std::string& text : part) prompts.push_back(fitting_ids_of(text));
    const std::vector<Ids> made = make(prompts, method);
    for (std::size_t i = 0; i < part.size(); ++i) all.push_back(text_of(part[i], made[i]));
  }
  return all;
}

}  // namespace ty
