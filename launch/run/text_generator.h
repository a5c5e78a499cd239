// Texts that a model makes of texts: a decoder goes on with them, an encoder-decoder answers them.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/data/tokenizer.h"
#include "launch/run/shared_model.h"
#include "models/generation/beam_search.h"
#include "models/generation/generation.h"

namespace ty {

// Drawn, or searched.
struct GenerationMethod {
  SamplingOptions sampling;
  std::optional<BeamOptions> beams = {};  // instead of sampling

  std::int64_t max_tokens() const { return beams ? beams->max_tokens : sampling.max_tokens; }
};

// Throws DataError that says why, if a directory's model writes no texts.
void require_writer(const Path& directory, const ModelSpec& spec);

class TextGenerator {
 public:
  // Of a model directory that all ranks have opened; what is passed must outlive this. Throws
  // DataError as require_writer() does, for damaged keys, and for a model with fewer ids than its
  // tokenizer.
  TextGenerator(const Path& directory, const SharedModel& shared, const Tokenizer& tokenizer,
                Backend& backend, bool cached = true);

  // Whether it answers: an encoder reads the text, and what is written is another one.
  bool answers() const { return generator_.decoder_start.has_value(); }
  std::int64_t context() const { return generator_.context; }

  // What the model reads of a text, of any length. An encoder's has all special tokens of the
  // tokenizer's template, a decoder's those before it. Of an empty text it is the end of text, with
  // which documents begin; throws UsageError if there is none.
  Ids ids_of(const std::string& text) const;
  // The same, not longer than an encoder reads.
  Ids fitting_ids_of(const std::string& text) const;

  // The new ids for each list of ids. All stages of a pipeline make the same calls.
  std::vector<Ids> make(const std::vector<Ids>& prompts, const GenerationMethod& method,
                        const OnToken& on_token = {}) const;
  // A prompt and what follows it, or the answer, without special tokens.
  std::string text_of(const std::string& prompt, const Ids& made) const;

  // All of it for many texts, `batch` at once. Likewise.
  std::vector<std::string> texts_for(std::span<const std::string> texts,
                                     const GenerationMethod& method, std::int64_t batch) const;

 private:
  std::string decoded(const Ids& ids) const;

  const Tokenizer& tokenizer_;
  Generator generator_;
  TextIds allowed_;
};

}  // namespace ty
