#include "models/transformer/model.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/io/json.h"
#include "launch/dataset.h"
#include "launch/inspect/inspection.h"
#include "launch/text.h"
#include "models/huggingface/gpt2_format.h"
#include "models/huggingface/model_directory.h"

namespace ty {

namespace {

// A family that this build does not run can still be listed.
std::string family_of(const Path& directory) {
  const Path file = directory / "config.json";
  if (!std::filesystem::exists(file)) {
    throw DataError("{}: config.json is missing; the tensors alone do not say how to run them",
                    directory.string());
  }
  constexpr std::uint64_t kMost = std::uint64_t{1} << 20;
  const nlohmann::json config = parse_json(read_text_file(file, kMost), file.string());
  return config.is_object() ? config.value("model_type", "gpt2") : "";
}

// Every tensor is there, once, in the shape that the configuration asks for.
void check_fit(const Path& directory, const TensorSet& tensors, const Gpt2Config& config) {
  if (config.layers > static_cast<std::int64_t>(tensors.names().size())) {
    throw DataError("{}: n_layer: {} layers, but there are only {} tensors",
                    (directory / "config.json").string(), config.layers, tensors.names().size());
  }
  const Model model(describe_gpt2(config), LinearRules(config.linear));
  check_tensors(tensors, model.parameters(), config);
}

void add_sizes(Inspection& result, const Gpt2Config& config) {
  const nlohmann::json json = gpt2_config_to_json(config);
  const std::int64_t inner = config.inner == 0 ? 4 * config.width : config.inner;
  result.line("sizes", fmt::format("{} layers x {}  heads {}  inner {}  context {}  vocabulary {}",
                                   config.layers, config.width, config.heads, inner, config.context,
                                   config.vocab));
  result.facts.update({{"layers", config.layers},
                       {"width", config.width},
                       {"heads", config.heads},
                       {"inner", inner},
                       {"context", config.context},
                       {"vocab", config.vocab},
                       {"tied", config.tied},
                       {"activation", json["activation_function"]}});
}

void add_parameters(Inspection& result, const TensorSet& tensors, const Gpt2Config& config) {
  std::int64_t count = 0;
  for (const std::string& name : tensors.names()) {
    if (!is_redundant_tensor(name, config)) count += tensors.tensor(name).shape.numel();
  }
  result.facts["parameters"] = count;
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
  } catch (const ConfigError& error) {
    result.fault(error.what());
  }
}

}  // namespace

Inspection inspect_model(const Path& directory) {
  Inspection result;
  std::optional<Gpt2Config> config;
  attempt(result, [&] {
    const std::string family = family_of(directory);
    result.facts["family"] = family;
    result.facts["supported"] = family == "gpt2";
    result.line("family", family == "gpt2" ? family : family + ", which this build does not run");
    if (family != "gpt2") return;
    config = read_model_config(directory);
    add_sizes(result, *config);
  });
  attempt(result, [&] { add_tokenizer(result, directory); });
  attempt(result, [&] {
    const TensorSet tensors = open_tensors(directory);
    if (config) add_parameters(result, tensors, *config);
    add_tensors(result, tensors);
    if (config) check_fit(directory, tensors, *config);
  });
  return result;
}

}  // namespace ty
