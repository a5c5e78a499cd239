#include "models/families/stored_parts.h"

#include <algorithm>

#include "core/base/error.h"

namespace ty {

namespace {

// The module that a parameter belongs to and the rest of its name, with its dot.
struct Found {
  const StoredModule* module = nullptr;
  std::string_view leaf = {};
};

Found find_module(std::span<const StoredModule> modules, std::string_view parameter) {
  for (const StoredModule& module : modules) {
    const bool is_its = parameter.starts_with(module.ours) &&
                        parameter.size() > module.ours.size() &&
                        parameter[module.ours.size()] == '.';
    if (is_its) return {&module, parameter.substr(module.ours.size())};
  }
  return {};
}

// A parameter's place among the public names, and its name within it.
struct Place {
  std::string theirs;
  std::string_view rest;
};

// "blocks.3.mlp.up.weight": "encoder.layer.3." and "mlp.up.weight".
Place place_in_blocks(std::string_view blocks, std::string_view ours, std::string_view parameter) {
  const std::size_t dot = parameter.find('.', ours.size());
  const std::string_view number = parameter.substr(ours.size(), dot - ours.size());
  return {fmt::format("{}{}.", blocks, number), parameter.substr(dot + 1)};
}

// [.., head, which, number] here, [head and number, ..] there.
View one_of_fused(const View& ours, std::int64_t heads, std::int64_t count, std::int64_t which) {
  Shape shape = ours.shape;
  const std::int64_t width = shape[-1] / (heads * count);
  shape[-1] = heads;
  shape.push_back(count);
  shape.push_back(width);
  const View apart = contiguous_view(ours.data, ours.dtype, shape);
  if (ours.rank() == 1) return apart.transpose(0, 1)[which];
  const View rows = apart.transpose(1, 2).transpose(0, 1)[which];  // [in, head, number]
  return rows.transpose(0, 1).transpose(1, 2);
}

std::vector<StoredPart> split(const StoredModule& module, const ModelSpec& spec,
                              const std::function<std::vector<std::string>(std::string_view)>& name,
                              const Shape& shape) {
  const auto used = std::count_if(module.apart.begin(), module.apart.end(),
                                  [](std::string_view one) { return !one.empty(); });
  const auto count = static_cast<std::int64_t>(used);
  std::vector<StoredPart> parts;
  for (std::int64_t which = 0; which < count; ++which) {
    StoredPart part = {name(module.apart[static_cast<std::size_t>(which)]), shape,
                       [heads = spec.heads, count, which](const View& ours) {
                         return one_of_fused(ours, heads, count, which);
                       }};
    if (shape.rank() == 1) part.shape = {shape[0] / count};
    if (shape.rank() == 2) part.shape = {shape[1] / count, shape[0]};
    parts.push_back(std::move(part));
  }
  return parts;
}

bool is_table(std::string_view module) {
  return module.starts_with("embeddings.") && module != "embeddings.project";
}

}  // namespace

StoredPart transposed(std::vector<std::string> names, const Shape& shape) {
  if (shape.rank() != 2) return {std::move(names), shape};
  return {std::move(names), {shape[1], shape[0]}, [](const View& ours) {
            return ours.transpose(0, 1);
          }};
}

std::vector<StoredPart> stored_parts(const StoredModules& modules, const ModelSpec& spec,
                                     const std::string& parameter, const Shape& shape) {
  Place place = {"", parameter};
  std::span<const StoredModule> table = modules.base;
  if (parameter.starts_with("blocks.")) {
    place = place_in_blocks(modules.blocks, "blocks.", parameter);
    table = modules.in_block;
  } else if (parameter.starts_with("encoder.blocks.")) {
    place = place_in_blocks(modules.encoder_blocks, "encoder.blocks.", parameter);
    table = modules.in_block;
  }
  Found found = find_module(table, place.rest);
  const bool in_base = found.module != nullptr;
  if (!in_base) found = find_module(modules.head, place.rest);
  if (found.module == nullptr) {
    throw InternalError("{}: parameter '{}' has no public name", spec.family, parameter);
  }
  const auto names_of = [&](std::string_view module) -> std::vector<std::string> {
    std::string bare = fmt::format("{}{}{}", place.theirs, module, found.leaf);
    std::string full = fmt::format("{}{}", modules.prefix, bare);
    if (!in_base) return {std::move(bare)};
    if (spec.head.kind == HeadSpec::Kind::none) return {std::move(bare), std::move(full)};
    return {std::move(full), std::move(bare)};
  };
  const bool is_dense = found.leaf == ".weight" || found.leaf == ".bias";
  if (is_dense && !found.module->apart[0].empty()) {
    return split(*found.module, spec, names_of, shape);
  }
  std::vector<std::string> names = names_of(found.module->theirs);
  if (found.leaf == ".weight" && !is_table(found.module->ours)) {
    return {transposed(std::move(names), shape)};
  }
  return {{std::move(names), shape}};
}

void add_names(StoredPart& part, std::initializer_list<std::string_view> names) {
  for (std::string_view name : names) part.names.emplace_back(name);
}

}  // namespace ty
