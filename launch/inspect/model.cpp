#include <fmt/format.h>

#include <map>

#include "core/base/error.h"
#include "core/io/json_fields.h"
#include "launch/inspect/inspection.h"
#include "launch/report/text.h"
#include "launch/run/dataset.h"
#include "models/families/family.h"
#include "models/huggingface/linear_format.h"
#include "models/huggingface/model_config.h"
#include "models/huggingface/model_directory.h"
#include "models/huggingface/model_tensors.h"

namespace ty {

namespace {

// A family that this build does not run can still be listed.
std::string family_in(const Path& directory) {
  const Path file = directory / "config.json";
  if (!std::filesystem::exists(file)) {
    throw DataError("{}: config.json is missing; the tensors alone do not say how to run them",
                    directory.string());
  }
  constexpr std::uint64_t kMost = std::uint64_t{1} << 20;
  return family_named(parse_json(read_text_file(file, kMost), file.string()), file.string());
}

void add_sizes(Inspection& result, const ModelSpec& config) {
  const std::int64_t inner = config.inner_width();
  result.line("sizes", fmt::format("{} layers x {}  heads {}  inner {}  context {}  vocabulary {}",
                                   config.layers, config.width, config.heads, inner, config.context,
                                   config.vocab));
  result.facts.update({{"layers", config.layers},
                       {"width", config.width},
                       {"heads", config.heads},
                       {"inner", inner},
                       {"context", config.context},
                       {"vocab", config.vocab},
                       {"activation", public_activation(config)}});
}

// What layers are made of, where that is not a matrix: "4 x svd rank 6".
void add_linear(Inspection& result, const ModelSpec& config) {
  std::map<std::string, int> counts;
  for (const LinearRule& rule : config.linear) {
    result.facts["linear"][rule.match] = linear_spec_to_json(rule.spec);
    ++counts[describe(rule.spec)];
  }
  std::vector<std::string> kinds;
  for (const auto& [text, count] : counts) kinds.push_back(fmt::format("{} x {}", count, text));
  if (!kinds.empty()) result.line("linear", fmt::format("{}", fmt::join(kinds, ", ")));
}

void add_parameters(Inspection& result, const TensorSet& tensors, const ModelSpec& config) {
  std::int64_t count = 0;
  for (const std::string& name : tensors.names()) {
    if (!is_redundant_tensor(tensors, name, config)) count += tensors.tensor(name).shape.numel();
  }
  result.facts["parameters"] = count;
  result.facts["tied"] = config.tied;
  result.line("parameters", count_with_digits(count) + (config.tied ? ", tied head" : ""));
}

void add_tokenizer(Inspection& result, const Path& directory) {
  const auto tokenizer = find_tokenizer(directory);
  result.facts["tokenizer"] = tokenizer ? facts_of(*tokenizer) : nlohmann::json();
  result.line("tokenizer", tokenizer ? describe(*tokenizer) : "none");
}

// Runs one part; a fault of it does not keep the others from being told.
template <typename Part>
void attempt(Inspection& result, Part part) {
  try {
    part();
  } catch (const DataError& error) {
    result.fault(error.what());
  } catch (const NonFiniteError& error) {
    result.fault(error.what(), error.code());
  }
}

}  // namespace

Inspection inspect_model(const Path& directory) {
  Inspection result;
  std::optional<ModelSpec> config;
  attempt(result, [&] {
    const std::string family = family_in(directory);
    const bool is_known = find_family(family) != nullptr;
    result.facts["family"] = family;
    result.facts["supported"] = is_known;
    result.line("family",
                is_known ? family : in_quotes(family) + ", which this build does not run");
    if (!is_known) return;
    config = parse_model_config(directory);
    add_sizes(result, *config);
    add_linear(result, *config);
  });
  attempt(result, [&] { add_tokenizer(result, directory); });
  attempt(result, [&] {
    const TensorSet tensors = open_tensors(directory);
    if (config) {
      const bool says_tied = config->tied;
      attempt(result, [&] { config = read_model_config(directory, tensors); });
      if (says_tied != config->tied) {
        result.line("head",
                    "its own: lm_head.weight is not the token table, whatever "
                    "tie_word_embeddings says");
      }
    }
    if (config) add_parameters(result, tensors, *config);
    add_tensors(result, tensors);
    if (config) check_finite(tensors, *config);
  });
  return result;
}

}  // namespace ty
