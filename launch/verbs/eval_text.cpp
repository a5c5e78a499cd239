#include "launch/verbs/eval_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/metrics/perplexity.h"
#include "launch/run/dataset.h"
#include "launch/run/evaluation.h"
#include "launch/run/plan.h"
#include "launch/run/shared_model.h"
#include "launch/verbs/model_argument.h"
#include "models/families/family.h"

namespace ty {

namespace {

// Without --stride a window has as many targets as inputs: the last target is the next window's
// first input. With it, windows are counted as the public library counts them: of N ids the last
// one is a target alone.
EvaluationOptions options_of(const Arguments& arguments, const ModelSpec& spec) {
  const std::int64_t sequence = arguments.integer("--sequence", spec.context);
  if (sequence > spec.context) {
    throw UsageError("--sequence: got {}; the model's context is {}, want no more", sequence,
                     spec.context);
  }
  const std::int64_t batch = arguments.integer("--batch", 8);
  if (!arguments.flag("--stride")) return {.sequence = sequence, .batch = batch};
  const std::int64_t stride = arguments.integer("--stride", 0);
  if (stride >= sequence) {
    throw UsageError("--stride: got {}; windows of {} tokens overlap with {} or less", stride,
                     sequence, sequence - 1);
  }
  return {.sequence = sequence - 1, .stride = stride, .batch = batch};
}

// Of a text; none if only its ids are known.
struct Counts {
  std::int64_t words = 0, lines = 0;
};
Counts counts_of(const Path& file, const TextOptions& options) {
  Counts counts;
  if (is_token_file(file)) return counts;
  for (const std::string& document : read_text_documents(file, quietly(options))) {
    counts.words += count_words(document);
    counts.lines += std::ssize(lines_of(document));
  }
  return counts;
}

}  // namespace

ExitCode evaluate_text(const Arguments& arguments, World& world, const Path& directory,
                       const ModelSpec& spec, DType dtype) {
  if (!spec.writes_texts()) {
    throw UsageError("{}: {} has no loss on a text; --inputs FILE gives its numbers",
                     directory.string(), family_of(spec).name);
  }
  const auto tokenizer = find_tokenizer(directory);
  const EvaluationOptions options = options_of(arguments, spec);
  const Path file = arguments.word(1, "the text or token file");
  const TextOptions reading = text_options(DataSection{});
  const TokenFile tokens = open_tokens(file, tokenizer.get(), reading, spec.vocab);
  const auto backend = make_backend(DeviceChoice::automatic, Reduction::fast, world.place());
  const SharedModel shared =
      open_shared_model(directory, *backend, world.group(), model_degrees(arguments), dtype);
  const Evaluation result = evaluate(*shared.opened.model, *cross_entropy_objective(), *backend,
                                     tokens, options, {shared.mesh.data(), shared.mesh.pipeline()});
  if (!world.is_root()) return ExitCode::ok;
  const auto [words, lines] = counts_of(file, reading);
  const double total = result.loss * result.tokens;
  const double per_word = words > 0 ? perplexity(total, words) : 0.0;
  const double with_line_ends = words > 0 ? perplexity(total, words + lines) : 0.0;
  if (arguments.flag("--json")) {
    nlohmann::json json = {
        {"loss", result.loss},
        {"perplexity", result.perplexity()},
        {"tokens", static_cast<std::int64_t>(result.tokens)},
        {"dtype", name_of(dtype)},
        {"peak_bytes", backend->memory().stats().total_peak},
        {"predicted_peak_bytes",
         plan_inference(shared.opened.spec, dtype, largest_batch(tokens, options), options.sequence,
                        shared.mesh.shape())
             .total_peak}};
    if (result.bits_per_byte > 0) json["bits_per_byte"] = result.bits_per_byte;
    if (options.stride > 0) json["stride"] = options.stride;
    if (words > 0) {
      json.update({{"words", words},
                   {"lines", lines},
                   {"word_perplexity", per_word},
                   {"word_perplexity_with_line_ends", with_line_ends}});
    }
    fmt::print("{}\n", json.dump());
    return ExitCode::ok;
  }
  fmt::print("loss {:.4f} nats per token  perplexity {:.2f}", result.loss, result.perplexity());
  if (words > 0) fmt::print("  per word {:.2f} ({:.2f} with line ends)", per_word, with_line_ends);
  if (result.bits_per_byte > 0) fmt::print("  bits per byte {:.4f}", result.bits_per_byte);
  fmt::print("  tokens {:.0f}\n", result.tokens);
  return ExitCode::ok;
}

}  // namespace ty
