#include "models/huggingface/model_tensors.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>
#include <vector>

#include "core/base/error.h"
#include "core/base/glob.h"
#include "core/base/host_copy.h"
#include "models/families/size_keys.h"
#include "models/huggingface/host_tensor.h"
#include "models/transformer/model.h"

namespace ty {

namespace {

constexpr const char* kTable = "embeddings.token.weight";
constexpr const char* kHead = "head.linear.weight";
constexpr const char* kHeadBias = "head.bias";

std::vector<StoredPart> parts_of(const ModelSpec& spec, const Parameter& parameter) {
  return family_of(spec).parts(spec, parameter.name, parameter.whole());
}

// The tensor of a parameter that is stored as one, if the file has it.
const StoredTensor* find_tensor(const TensorSet& tensors, const ModelSpec& spec,
                                const std::string& parameter, const Shape& shape) {
  const auto parts = family_of(spec).parts(spec, parameter, shape);
  const std::string name = name_in(tensors, parts.front());
  return tensors.contains(name) ? &tensors.tensor(name) : nullptr;
}

// The head of a model that has one of its own, as it would be stored.
StoredPart own_head(ModelSpec spec) {
  spec.tied = false;
  return family_of(spec).parts(spec, kHead, {spec.token_width(), spec.vocab}).front();
}

// Parameters that may be stored twice, and so have more than one name in a file.
std::vector<StoredPart> doubled_parts(const ModelSpec& spec) {
  std::vector<StoredPart> doubled;
  if (spec.reads_images()) return doubled;
  doubled.push_back(family_of(spec).parts(spec, kTable, {}).front());
  if (spec.head.kind == HeadSpec::Kind::language && spec.head.bias) {
    doubled.push_back(family_of(spec).parts(spec, kHeadBias, {}).front());
  }
  return doubled;
}

// A size of the model and parameters that show it, whatever the linear layers are made of; the
// first that is there counts. What a family has no key for is not compared.
struct ShownSize {
  std::int64_t ModelSpec::*size;
  std::array<const char*, 2> parameters;
  int dim;  // from the last one, as -1, or from the first
};
constexpr std::array<ShownSize, 6> kShownSizes = {{
    {&ModelSpec::width, {"embeddings.position.weight"}, -1},
    {&ModelSpec::context, {"embeddings.position.weight"}, -2},
    {&ModelSpec::embedding_width, {kTable}, -1},
    {&ModelSpec::vocab, {kTable, "embeddings.token.a"}, 0},
    {&ModelSpec::types, {"embeddings.type.weight"}, 0},
    {&ModelSpec::inner, {"blocks.0.mlp.up.bias"}, 0},
}};

// What a size of 0 stands for.
std::int64_t size_of(const ModelSpec& spec, std::int64_t ModelSpec::*size) {
  if (size == &ModelSpec::inner) return spec.inner_width();
  if (size == &ModelSpec::embedding_width) return spec.token_width();
  return spec.*size;
}

void check_size(const ShownSize& shown, const TensorSet& tensors, const ModelSpec& spec,
                const Path& file) {
  const char* key = key_of(family_of(spec), shown.size);
  if (key == nullptr) return;
  const std::int64_t size = size_of(spec, shown.size);
  const std::int64_t unused = shown.size == &ModelSpec::context ? spec.position_offset : 0;
  for (const char* parameter : shown.parameters) {
    if (parameter == nullptr) continue;
    const StoredTensor* tensor = find_tensor(tensors, spec, parameter, {});
    const int rank = tensor == nullptr ? 0 : tensor->shape.rank();
    const int dim = shown.dim < 0 ? rank + shown.dim : shown.dim;
    if (dim < 0 || dim >= rank) continue;
    if (tensor->shape[dim] == size + unused) return;
    throw DataError("{}: {}: {}, but {} is {}; want {}", file.string(), key, size, tensor->name,
                    tensor->shape.str(), tensor->shape[dim] - unused);
  }
}

// Whether two tensors hold the same numbers.
bool are_equal(const View& a, const View& b) {
  if (a.shape != b.shape || a.dtype != b.dtype) return false;
  return std::memcmp(a.data, b.data, a.bytes()) == 0;
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

void check_part(const TensorSet& tensors, const StoredPart& part,
                std::vector<std::string>& faults) {
  const std::string name = name_in(tensors, part);
  if (!tensors.contains(name)) {
    faults.push_back(fmt::format("{}: missing, wanted {}", name, part.shape.str()));
  } else if (const StoredTensor& tensor = tensors.tensor(name); tensor.shape != part.shape) {
    faults.push_back(
        fmt::format("{}: file {} != config {}", name, tensor.shape.str(), part.shape.str()));
  } else if (!is_floating(tensor.dtype().value_or(DType::i32))) {
    faults.push_back(
        fmt::format("{}: numbers are {}; want F32, BF16, F16 or F64", name, tensor.dtype_name));
  }
}

}  // namespace

std::string name_in(const TensorSet& tensors, const StoredPart& part) {
  const auto found = std::find_if(part.names.begin(), part.names.end(),
                                  [&](const std::string& name) { return tensors.contains(name); });
  return found == part.names.end() ? part.names.front() : *found;
}

bool has_own_head(const TensorSet& tensors, const ModelSpec& spec) {
  if (spec.head.kind != HeadSpec::Kind::language) return false;
  const std::string head = name_in(tensors, own_head(spec));
  if (!tensors.contains(head)) return false;
  const StoredTensor* table = find_tensor(tensors, spec, kTable, {});
  return table != nullptr && table->name != head &&
         !are_equal(tensors.view(head), tensors.view(table->name));
}

bool has_fixed_bias(const TensorSet& tensors, const ModelSpec& spec) {
  const std::string name(family_of(spec).fixed_bias);
  if (spec.head.kind != HeadSpec::Kind::language || name.empty()) return false;
  if (!tensors.contains(name)) return false;
  const View bias = tensors.view(name);
  const auto* bytes = bias.as<unsigned char>();
  return std::any_of(bytes, bytes + bias.bytes(), [](unsigned char byte) { return byte != 0; });
}

bool is_redundant_tensor(const TensorSet& tensors, const std::string& name, const ModelSpec& spec) {
  const Family& family = family_of(spec);
  const auto& unread = family.unread;
  const bool is_unread = std::any_of(unread.begin(), unread.end(), [&](std::string_view pattern) {
    return glob_match(pattern, name);
  });
  if (is_unread || (name == family.fixed_bias && !spec.head.bias)) return true;
  for (const StoredPart& part : doubled_parts(spec)) {
    const bool is_its = std::find(part.names.begin(), part.names.end(), name) != part.names.end();
    if (is_its && name != name_in(tensors, part)) return true;
  }
  return false;
}

void check_sizes(const TensorSet& tensors, const ModelSpec& spec, const Path& file) {
  const auto count_layers = [&](std::int64_t ModelSpec::*size) {
    if (spec.*size <= std::ssize(tensors.names())) return;
    throw DataError("{}: {}: {} layers, but there are only {} tensors", file.string(),
                    key_of(family_of(spec), size), spec.*size, tensors.names().size());
  };
  count_layers(&ModelSpec::layers);
  count_layers(&ModelSpec::encoder_layers);
  for (const ShownSize& shown : kShownSizes) check_size(shown, tensors, spec, file);
}

namespace {

// Copies of the token table hold the same numbers: other ones would be parameters that we have not.
void check_copies(const TensorSet& tensors, const ModelSpec& spec,
                  std::vector<std::string>& faults) {
  if (spec.reads_images()) return;
  const StoredPart table = family_of(spec).parts(spec, kTable, {}).front();
  const std::string used = name_in(tensors, table);
  for (const std::string& name : table.names) {
    if (name == used || !tensors.contains(name)) continue;
    if (are_equal(tensors.view(name), tensors.view(used))) continue;
    faults.push_back(fmt::format("{}: other numbers than {}; want a copy of it", name, used));
  }
}

}  // namespace

void check_tensors(const TensorSet& tensors, const ParameterStore& store, const ModelSpec& spec) {
  std::vector<std::string> faults;
  std::set<std::string> used;
  for (const Parameter& parameter : store.all()) {
    for (const StoredPart& part : parts_of(spec, parameter)) {
      used.insert(name_in(tensors, part));
      check_part(tensors, part, faults);
    }
  }
  for (const std::string& name : tensors.names()) {
    if (!used.contains(name) && !is_redundant_tensor(tensors, name, spec)) {
      faults.push_back(fmt::format("{}: not a tensor of this model", in_quotes(name)));
    }
  }
  check_copies(tensors, spec, faults);
  if (faults.empty()) return;
  const std::size_t shown = std::min<std::size_t>(faults.size(), 5);
  throw DataError(
      "{}: {}{}", tensors.path().string(),
      fmt::join(faults.begin(), faults.begin() + static_cast<std::ptrdiff_t>(shown), "; "),
      faults.size() > shown ? fmt::format("; and {} more", faults.size() - shown) : "");
}

void check_finite(const TensorSet& tensors, const ParameterStore& store, const ModelSpec& spec) {
  for (const Parameter& parameter : store.all()) {
    for (const StoredPart& part : parts_of(spec, parameter)) {
      const std::string name = name_in(tensors, part);
      require_finite(tensors.view(name), tensors.path(), name);
    }
  }
}

void check_finite(const TensorSet& tensors, const ModelSpec& spec) {
  for (const std::string& name : tensors.names()) {
    if (!is_floating(tensors.tensor(name).dtype().value_or(DType::i32))) continue;
    if (is_redundant_tensor(tensors, name, spec)) continue;
    require_finite(tensors.view(name), tensors.path(), name);
    tensors.forget(name);
  }
}

void read_parameter(const TensorSet& tensors, const std::string& parameter, const ModelSpec& spec,
                    const View& to) {
  std::vector<std::string> names;
  for (const StoredPart& part : family_of(spec).parts(spec, parameter, to.shape)) {
    names.push_back(name_in(tensors, part));
    const View stored = tensors.view(names.back());
    const View place = part.place ? part.place(to) : to;
    host_copy(contiguous_view(stored.data, stored.dtype, place.shape), place);
  }
  require_finite(to, tensors.path(), fmt::format("{}", fmt::join(names, ", ")));
}

DType stored_dtype(const TensorSet& tensors, const Parameter& parameter, const ModelSpec& spec) {
  return tensors.view(name_in(tensors, parts_of(spec, parameter).front())).dtype;
}

namespace {

constexpr std::int64_t kChunkNumbers = std::int64_t{1} << 17;  // that are on their way at a time

// Copies a tensor of a file, a few rows at a time, to where its numbers belong. Lets go of the
// file's pages, so that a model is in memory once.
void load_part(const TensorSet& tensors, const StoredPart& part, const Tensor& weight) {
  const std::string name = name_in(tensors, part);
  const View place = part.place ? part.place(weight.view()) : weight.view();
  const View stored = tensors.view(name);
  const View rows = contiguous_view(stored.data, stored.dtype, place.shape);
  const std::int64_t count = place.shape[0], row = place.numel() / std::max<std::int64_t>(count, 1);
  const std::int64_t step =
      std::max<std::int64_t>(1, kChunkNumbers / std::max<std::int64_t>(row, 1));
  for (std::int64_t first = 0; first < count; first += step) {
    const std::int64_t some = std::min(step, count - first);
    const View from = rows.slice(0, first, some);
    require_finite(from, tensors.path(), name);
    const Tensor chunk = Tensor::empty(weight.backend(), from.shape, from.dtype);
    weight.backend().write(chunk.view(), from.data);
    weight.backend().copy(place.slice(0, first, some), chunk.view());
    tensors.forget(name);
  }
}

// The type in which a whole parameter is read: the file's; fp64, which holds them all, where its
// tensors differ.
DType type_to_read(const TensorSet& tensors, const std::vector<StoredPart>& parts) {
  const DType first = tensors.view(name_in(tensors, parts.front())).dtype;
  const bool is_one = std::all_of(parts.begin(), parts.end(), [&](const StoredPart& part) {
    return tensors.view(name_in(tensors, part)).dtype == first;
  });
  return is_one ? first : DType::f64;
}

// Copies a rank's part of a parameter. A part of ours may be spread over all of the file's tensor,
// so the whole parameter is on the host meanwhile. Padding becomes zero.
void load_slice(const TensorSet& tensors, const Parameter& parameter, const ModelSpec& spec,
                const Tensor& weight) {
  const Slice& cut = parameter.placement.slice;
  const Shape own = unpadded_shape(parameter.shape, cut);
  if (own != parameter.shape) weight.backend().fill(weight.view(), 0.0);
  if (own.numel() == 0) return;
  const std::vector<StoredPart> parts = parts_of(spec, parameter);
  const HostTensor whole(type_to_read(tensors, parts), parameter.whole());
  read_parameter(tensors, parameter.name, spec, whole.view);
  for (const StoredPart& part : parts) tensors.forget(name_in(tensors, part));
  const HostTensor host(whole.view.dtype, own);
  host_copy(whole.view.slice(cut.dim, cut.first, own[cut.dim]), host.view);
  const Tensor values = Tensor::empty(weight.backend(), own, host.view.dtype);
  weight.backend().write(values.view(), host.view.data);
  weight.backend().copy(weight.view().slice(cut.dim, 0, own[cut.dim]), values.view());
}

}  // namespace

std::vector<std::string> load_common_weights(const Path& directory, FlatParameters& parameters,
                                             const ModelSpec& spec) {
  const TensorSet tensors = open_tensors(directory);
  // The whole model's, of which this rank may have a part.
  const Model stored(describe_model(spec), LinearRules(spec.linear));
  check_tensors(tensors, stored.parameters(), spec);
  std::vector<std::string> missing;
  const auto& all = parameters.store().all();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Parameter* there = stored.parameters().find(all[i].name);
    if (there == nullptr || there->shape != all[i].whole()) {
      missing.push_back(all[i].name);
      continue;
    }
    const Tensor weight = parameters.weight_of(i);
    if (all[i].placement.slice.dim >= 0) {
      load_slice(tensors, all[i], spec, weight);
      continue;
    }
    for (const StoredPart& part : parts_of(spec, all[i])) load_part(tensors, part, weight);
  }
  // What is a number in the file may be too large for the type that it is read into.
  if (const std::string name = parameters.first_non_finite_weight(); !name.empty()) {
    throw NonFiniteError("{}: {}: holds numbers that are not finite in {}", tensors.path().string(),
                         name, name_of(parameters.weights().dtype()));
  }
  parameters.refresh_model();
  return missing;
}

void load_weights(const Path& directory, FlatParameters& parameters, const ModelSpec& spec) {
  const std::vector<std::string> missing = load_common_weights(directory, parameters, spec);
  TY_CHECK(missing.empty(), "{} has no {}", directory.string(), missing.front());
}

std::map<std::string, std::string> names_in_directory(const Path& directory,
                                                      const ParameterStore& store,
                                                      const ModelSpec& spec) {
  const TensorSet tensors = open_tensors(directory);
  std::map<std::string, std::string> names;
  for (const Parameter& parameter : store.all()) {
    for (const StoredPart& part : parts_of(spec, parameter)) {
      names[part.names.front()] = name_in(tensors, part);
    }
  }
  return names;
}

}  // namespace ty
