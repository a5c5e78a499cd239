#include "launch/verbs/eval_masked.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "launch/run/evaluation.h"
#include "launch/run/shared_model.h"
#include "launch/verbs/model_argument.h"
#include "launch/verbs/model_examples.h"

namespace ty {

ExitCode evaluate_masked(const Arguments& arguments, World& world, const Path& directory,
                         const ModelSpec& spec, DType dtype) {
  if (arguments.flag("--stride")) {
    throw UsageError("--stride: windows with hidden tokens do not overlap");
  }
  const Path file = arguments.word(1, "the text or token file");
  const ModelExamples examples = model_examples(arguments, directory, spec, file);
  const auto backend = make_backend(DeviceChoice::automatic, Reduction::fast, world.place());
  const SharedModel shared =
      open_shared_model(directory, *backend, world.group(), model_degrees(arguments), dtype);
  const Evaluation result = evaluate(*shared.opened.model, *objective_of(spec.head), *backend,
                                     {*examples.source, file.string()},
                                     {.sequence = arguments.integer("--sequence", spec.context),
                                      .batch = arguments.integer("--batch", 8)},
                                     {shared.mesh.data(), shared.mesh.pipeline()});
  if (!world.is_root()) return ExitCode::ok;
  if (arguments.flag("--json")) {
    const nlohmann::json json = {{"loss", result.loss},
                                 {"perplexity", result.perplexity()},
                                 {"hidden_tokens", static_cast<std::int64_t>(result.tokens)},
                                 {"windows", examples.source->examples()},
                                 {"dtype", name_of(dtype)},
                                 {"peak_bytes", backend->memory().stats().total_peak}};
    fmt::print("{}\n", json.dump());
    return ExitCode::ok;
  }
  fmt::print("loss {:.4f} nats per hidden token  perplexity {:.2f}  hidden tokens {:.0f}\n",
             result.loss, result.perplexity(), result.tokens);
  return ExitCode::ok;
}

}  // namespace ty
