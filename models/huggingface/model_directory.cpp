#include "models/huggingface/model_directory.h"

#include <cstddef>
#include <set>
#include <vector>

#include "core/autograd/graph.h"
#include "core/base/error.h"
#include "core/base/glob.h"
#include "core/io/json.h"
#include "models/huggingface/gpt2_format.h"
#include "models/transformer/model.h"

namespace ty {

namespace {

constexpr std::size_t kMaxConfigBytes = std::size_t{1} << 20;
constexpr std::string_view kPrefix = "transformer.";

std::string full_name(const std::string& ours) {
  const std::string name = gpt2_public_name(ours);
  return name.starts_with("lm_head.") ? name : std::string(kPrefix) + name;
}

// The file's name of a parameter of ours; full_name() if the file has neither spelling.
std::string name_in(const TensorSet& tensors, const std::string& ours) {
  const std::string full = full_name(ours);
  const std::string bare = gpt2_public_name(ours);
  return !tensors.contains(full) && tensors.contains(bare) ? bare : full;
}

// Host memory for one tensor, in a dtype.
struct Staging {
  std::vector<std::byte> bytes;
  View view;
  Staging(DType dtype, const Shape& shape)
      : bytes(static_cast<std::size_t>(shape.numel()) * size_of(dtype)),
        view(contiguous_view(bytes.data(), dtype, shape)) {}
};

}  // namespace

Gpt2Config read_model_config(const Path& directory) {
  const Path file = directory / "config.json";
  Gpt2Config config = gpt2_config_from_json(
      parse_json(read_text_file(file, kMaxConfigBytes), file.string()), file.string());
  try {
    // Declares parameters and nothing else: whether sizes and linear maps fit together.
    const Model model(describe_gpt2(config), LinearRules(config.linear));
  } catch (const ConfigError& e) {
    throw DataError("{}: {}", file.string(), e.what());
  }
  return config;
}

void write_model_config(FileWriter& out, const Gpt2Config& config) {
  out.write(gpt2_config_to_json(config).dump(2) + "\n");
}

bool is_redundant_tensor(std::string_view name, const Gpt2Config& config) {
  return glob_match("*h.*.attn.bias", name) || glob_match("*h.*.attn.masked_bias", name) ||
         (config.tied && name == "lm_head.weight");
}

void check_tensors(const TensorSet& tensors, const ParameterStore& store,
                   const Gpt2Config& config) {
  std::vector<std::string> faults;
  std::set<std::string> used;
  for (const Parameter& parameter : store.all()) {
    const std::string name = name_in(tensors, parameter.name);
    const Shape wanted = gpt2_public_shape(parameter.name, parameter.shape);
    used.insert(name);
    if (!tensors.contains(name)) {
      faults.push_back(fmt::format("{}: missing, wanted {}", name, wanted.str()));
    } else if (tensors.tensor(name).shape != wanted) {
      faults.push_back(fmt::format("{}: file {} != config {}", name,
                                   tensors.tensor(name).shape.str(), wanted.str()));
    }
  }
  for (const std::string& name : tensors.names()) {
    if (!used.contains(name) && !is_redundant_tensor(name, config)) {
      faults.push_back(fmt::format("{}: not a tensor of this model", in_quotes(name)));
    }
  }
  if (!faults.empty()) {
    const std::size_t shown = std::min<std::size_t>(faults.size(), 5);
    throw DataError(
        "{}: {}{}", tensors.path().string(),
        fmt::join(faults.begin(), faults.begin() + static_cast<std::ptrdiff_t>(shown), "; "),
        faults.size() > shown ? fmt::format("; and {} more", faults.size() - shown) : "");
  }
}

void read_parameter(const TensorSet& tensors, const std::string& ours, const Gpt2Config& config,
                    const View& to) {
  const View source = gpt2_as_ours(ours, tensors.view(name_in(tensors, ours)), config);
  make_reference_backend()->copy(contiguous_view(to.data, to.dtype, source.shape), source);
}

DType stored_dtype(const TensorSet& tensors, const std::string& ours) {
  return tensors.view(name_in(tensors, ours)).dtype;
}

void load_weights(const Path& directory, FlatParameters& parameters, const Gpt2Config& config) {
  const TensorSet tensors = open_tensors(directory);
  check_tensors(tensors, parameters.store(), config);
  const auto& all = parameters.store().all();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Tensor weight = parameters.weight_of(i);
    const Staging staging(weight.dtype(), weight.shape());
    read_parameter(tensors, all[i].name, config, staging.view);
    parameters.backend().write(weight.view(), staging.bytes.data());
  }
  parameters.refresh_model();
}

std::map<std::string, std::string> names_in_directory(const Path& directory,
                                                      const ParameterStore& store) {
  const TensorSet tensors = open_tensors(directory);
  std::map<std::string, std::string> names;
  for (const Parameter& parameter : store.all()) {
    names[parameter.name] = name_in(tensors, parameter.name);
  }
  return names;
}

void write_parameters(FileWriter& out, std::span<const OutgoingParameter> parameters,
                      const Gpt2Config& config, const std::map<std::string, std::string>& names) {
  std::vector<TensorInfo> infos;
  std::map<std::string, const OutgoingParameter*> by_name;
  for (const OutgoingParameter& parameter : parameters) {
    const std::string name = names.empty() ? full_name(parameter.name) : names.at(parameter.name);
    infos.push_back({name, parameter.dtype, gpt2_public_shape(parameter.name, parameter.shape)});
    by_name[name] = &parameter;
  }
  SafetensorsWriter writer(out, std::move(infos), {{"format", "pt"}});
  for (const TensorInfo& info : writer.order()) {
    const OutgoingParameter& parameter = *by_name.at(info.name);
    const Staging staging(parameter.dtype, parameter.shape);
    parameter.fill(staging.view);
    // The same elements in public order, and then in public shape.
    const View ordered = gpt2_as_public(parameter.name, staging.view, config);
    const Staging result(parameter.dtype, ordered.shape);
    make_reference_backend()->copy(result.view, ordered);
    writer.append(contiguous_view(result.view.data, info.dtype, info.shape));
  }
  writer.finish();
}

void write_parameters(FileWriter& out, const FlatParameters& parameters, const Gpt2Config& config,
                      Content content, const std::map<std::string, std::string>& names) {
  const auto& all = parameters.store().all();
  std::vector<OutgoingParameter> outgoing;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Tensor value =
        content == Content::weights ? parameters.weight_of(i) : leaf_of(all[i].value).grad;
    outgoing.push_back({all[i].name, value.dtype(), all[i].shape,
                        [value](const View& to) { value.backend().read(to.data, value.view()); }});
  }
  write_parameters(out, outgoing, config, names);
}

}  // namespace ty
