#include "models/huggingface/model_directory.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <set>
#include <vector>

#include "core/autograd/graph.h"
#include "core/base/error.h"
#include "core/base/glob.h"
#include "core/io/json.h"
#include "models/huggingface/gpt2_config.h"
#include "models/huggingface/gpt2_format.h"
#include "models/transformer/model.h"

namespace ty {

namespace {

constexpr std::size_t kMaxConfigBytes = std::size_t{1} << 20;
constexpr const char* kConfigName = "config.json";
constexpr std::string_view kPrefix = "transformer.";
constexpr const char* kHead = "lm_head.weight";
constexpr const char* kTable = "embeddings.token.weight";  // our name

std::string full_name(const std::string& ours) {
  const std::string name = gpt2_public_name(ours);
  return name.starts_with("lm_head.") ? name : std::string(kPrefix) + name;
}

// The file's name of a parameter of ours; full_name() if the file has neither spelling. A tied
// table may be stored as the head only.
std::string name_in(const TensorSet& tensors, const std::string& ours, const Gpt2Config& config) {
  const std::string full = full_name(ours);
  const std::string bare = gpt2_public_name(ours);
  if (tensors.contains(full)) return full;
  if (tensors.contains(bare)) return bare;
  const bool is_head = config.tied && ours == kTable && tensors.contains(kHead);
  return is_head ? kHead : full;
}

// A size of the configuration and a tensor that shows it, whatever the linear layers are made of.
struct ShownSize {
  const char* key;
  std::int64_t Gpt2Config::*size;
  std::array<const char*, 2> names;  // public, without prefix; the first that is there counts
  int dim;
};
constexpr std::array<ShownSize, 4> kShownSizes = {{
    {"n_embd", &Gpt2Config::width, {"wpe.weight"}, 1},
    {"n_positions", &Gpt2Config::context, {"wpe.weight"}, 0},
    {"vocab_size", &Gpt2Config::vocab, {"wte.weight", "wte.a"}, 0},
    {"n_inner", &Gpt2Config::inner, {"h.0.mlp.c_fc.bias"}, 0},
}};

const StoredTensor* find_tensor(const TensorSet& tensors, const char* bare) {
  for (const std::string& name : {std::string(kPrefix) + bare, std::string(bare)}) {
    if (tensors.contains(name)) return &tensors.tensor(name);
  }
  return nullptr;
}

// A wrong size would make every shape that follows from it wrong, or too large to work with.
void check_size(const ShownSize& shown, const TensorSet& tensors, const Gpt2Config& config,
                const Path& file) {
  std::int64_t size = config.*shown.size;
  if (shown.size == &Gpt2Config::inner && size == 0) size = 4 * config.width;
  for (const char* name : shown.names) {
    const StoredTensor* tensor = name == nullptr ? nullptr : find_tensor(tensors, name);
    if (tensor == nullptr || tensor->shape.rank() <= shown.dim) continue;
    if (tensor->shape[shown.dim] == size) return;
    throw DataError("{}: {}: {}, but {} is {}; want {}", file.string(), shown.key, size,
                    tensor->name, tensor->shape.str(), tensor->shape[shown.dim]);
  }
}

void check_sizes(const TensorSet& tensors, const Gpt2Config& config, const Path& file) {
  if (config.layers > std::ssize(tensors.names())) {
    throw DataError("{}: n_layer: {} layers, but there are only {} tensors", file.string(),
                    config.layers, tensors.names().size());
  }
  for (const ShownSize& shown : kShownSizes) check_size(shown, tensors, config, file);
}

// Whether two tensors hold the same numbers.
bool are_equal(const View& a, const View& b) {
  if (a.shape != b.shape || a.dtype != b.dtype) return false;
  return std::memcmp(a.data, b.data, a.bytes()) == 0;
}

// A tied flag beside a head that holds other numbers than the token table is wrong: it has to be
// read. Old files store the table twice.
bool has_own_head(const TensorSet& tensors) {
  if (!tensors.contains(kHead)) return false;
  const StoredTensor* table = find_tensor(tensors, "wte.weight");
  return table != nullptr && !are_equal(tensors.view(kHead), tensors.view(table->name));
}

// `x` is contiguous.
void require_finite(const View& x, const Path& file, const std::string& tensor) {
  const bool is_finite = dispatch_float(x.dtype, "require_finite", [&](auto t) {
    using T = decltype(t);
    bool all = true;
    for (std::int64_t i = 0; i < x.numel(); ++i) {
      all &= std::isfinite(static_cast<accumulator_t<T>>(x.as<T>()[i]));
    }
    return all;
  });
  if (is_finite) return;
  throw NonFiniteError("{}: {}: holds numbers that are not finite in {}", file.string(), tensor,
                       name_of(x.dtype));
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

Gpt2Config parse_model_config(const Path& directory) {
  const Path file = directory / kConfigName;
  return gpt2_config_from_json(parse_json(read_text_file(file, kMaxConfigBytes), file.string()),
                               file.string());
}

Gpt2Config read_model_config(const Path& directory) {
  return read_model_config(directory, open_tensors(directory));
}

Gpt2Config read_model_config(const Path& directory, const TensorSet& tensors) {
  Gpt2Config config = parse_model_config(directory);
  config.tied = config.tied && !has_own_head(tensors);
  const Path file = directory / kConfigName;
  check_sizes(tensors, config, file);
  try {
    // Declares parameters and nothing else.
    const Model model(describe_gpt2(config), LinearRules(config.linear));
    check_tensors(tensors, model.parameters(), config);
  } catch (const ConfigError& e) {
    throw DataError("{}: {}", file.string(), e.what());
  }
  return config;
}

void write_model_config(FileWriter& out, const Gpt2Config& config) {
  out.write(gpt2_config_to_json(config).dump(2) + "\n");
}

bool is_redundant_tensor(const TensorSet& tensors, const std::string& name,
                         const Gpt2Config& config) {
  return glob_match("*h.*.attn.bias", name) || glob_match("*h.*.attn.masked_bias", name) ||
         (config.tied && name == kHead && name_in(tensors, kTable, config) != kHead);
}

void check_tensors(const TensorSet& tensors, const ParameterStore& store,
                   const Gpt2Config& config) {
  std::vector<std::string> faults;
  std::set<std::string> used;
  for (const Parameter& parameter : store.all()) {
    const std::string name = name_in(tensors, parameter.name, config);
    const Shape wanted = gpt2_public_shape(parameter.name, parameter.shape);
    used.insert(name);
    if (!tensors.contains(name)) {
      faults.push_back(fmt::format("{}: missing, wanted {}", name, wanted.str()));
    } else if (const StoredTensor& tensor = tensors.tensor(name); tensor.shape != wanted) {
      faults.push_back(
          fmt::format("{}: file {} != config {}", name, tensor.shape.str(), wanted.str()));
    } else if (!is_floating(tensor.dtype().value_or(DType::i32))) {
      faults.push_back(
          fmt::format("{}: numbers are {}; want F32, BF16, F16 or F64", name, tensor.dtype_name));
    }
  }
  for (const std::string& name : tensors.names()) {
    if (!used.contains(name) && !is_redundant_tensor(tensors, name, config)) {
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
  const std::string name = name_in(tensors, ours, config);
  const View source = gpt2_as_ours(ours, tensors.view(name), config);
  make_reference_backend()->copy(contiguous_view(to.data, to.dtype, source.shape), source);
  require_finite(to, tensors.path(), name);
}

void check_finite(const TensorSet& tensors, const ParameterStore& store, const Gpt2Config& config) {
  for (const Parameter& parameter : store.all()) {
    const std::string name = name_in(tensors, parameter.name, config);
    require_finite(tensors.view(name), tensors.path(), name);
  }
}

DType stored_dtype(const TensorSet& tensors, const std::string& ours, const Gpt2Config& config) {
  return tensors.view(name_in(tensors, ours, config)).dtype;
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
                                                      const ParameterStore& store,
                                                      const Gpt2Config& config) {
  const TensorSet tensors = open_tensors(directory);
  std::map<std::string, std::string> names;
  for (const Parameter& parameter : store.all()) {
    names[parameter.name] = name_in(tensors, parameter.name, config);
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
