#include "models/compress/compression.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/base/glob.h"
#include "models/compress/stored.h"
#include "models/linear/kinds.h"

namespace ty {

namespace {

std::string names_of(const std::vector<LinearSite>& sites) {
  std::vector<std::string> paths;
  for (const LinearSite& site : sites) paths.push_back(site.path);
  return fmt::format("{}", fmt::join(paths, ", "));
}

void check_takes(const LinearSite& site, const Method& method, const Path& directory) {
  if (!is_dense(site.spec)) {
    throw UsageError(
        "{}: is factorised already ({}); match other layers, or make the model dense first: "
        "trainyard "
        "export {} DENSE --dense",
        site.path, describe(site.spec), directory.string());
  }
  if (!site.table.empty() && !method.fits_tables) {
    std::vector<std::string_view> others;
    for (const Method& each : methods()) {
      if (each.fits_tables) others.push_back(each.name);
    }
    throw UsageError("{}: reads the token table, which cannot be {}; want --method {} for it",
                     site.path, method.name, fmt::join(others, " or "));
  }
}

// The model with every compressed layer in its new kind.
ModelSpec compressed_spec(const StoredModel& source, const std::vector<CompressedLayer>& layers) {
  ModelSpec spec = source.spec();
  for (const CompressedLayer& layer : layers) {
    spec.linear.push_back({layer.before.path, layer.after.spec});
  }
  return spec;
}

// Runs a part of a method for one layer; the request came from the command line.
template <typename Part>
auto at(const LinearSite& site, Part part) {
  try {
    return part();
  } catch (const ConfigError& error) {
    throw UsageError("{} [{}, {}]: {}", site.path, site.shape.in, site.shape.out, error.what());
  } catch (const NonFiniteError& error) {
    throw NonFiniteError("{}: {}", site.path, error.what());
  }
}

}  // namespace

LinearSite CompressedLayer::site() const {
  LinearSite result = before;
  result.spec = after.spec;
  return result;
}

std::vector<LinearSite> layers_to_compress(const StoredModel& source, const Method& method,
                                           const std::vector<std::string>& patterns) {
  const std::vector<LinearSite>& all = source.linear_sites();
  const auto matches = [](const std::string& pattern, const LinearSite& site) {
    return glob_match(pattern, site.path);
  };
  for (const std::string& pattern : patterns) {
    if (std::none_of(all.begin(), all.end(), std::bind_front(matches, pattern))) {
      throw UsageError("--match: \"{}\" matches no linear layer of {}; there are: {}", pattern,
                       source.directory().string(), names_of(all));
    }
  }
  std::vector<LinearSite> found;
  for (const LinearSite& site : all) {
    const auto is_meant = [&](const std::string& pattern) { return matches(pattern, site); };
    if (std::any_of(patterns.begin(), patterns.end(), is_meant)) {
      check_takes(site, method, source.directory());
      found.push_back(site);
    }
  }
  return found;
}

Compression compress(const StoredModel& source, const std::vector<LinearSite>& layers,
                     const Method& method, const DecompositionRequest& request,
                     const std::function<void(std::size_t)>& progress) {
  Compression result = {.layers = {},
                        .parameters_before = source.parameters().count(),
                        .parameters_after = 0,
                        .tokens = source.spec().context};
  for (const LinearSite& site : layers) {  // before any work is done
    at(site, [&] { method.check(site.stored(), request); });
  }
  for (const LinearSite& site : layers) {
    progress(result.layers.size());
    const LinearShape size = site.stored();
    const Matrix w(size.in, size.out, source.values(site.place() + ".weight", {size.in, size.out}));
    Decomposition after =
        at(site, [&] { return decompose_stored(method, w, request, source.dtype(site)); });
    const double norm = frobenius_norm(w);
    const double relative = norm > 0 ? after.error / norm : 0.0;
    result.layers.push_back({site, std::move(after), source.dtype(site), relative});
  }
  result.parameters_after = count_parameters(compressed_spec(source, result.layers));
  return result;
}

std::vector<const CompressedLayer*> layers_beyond(const Compression& compression, double error) {
  std::vector<const CompressedLayer*> beyond;
  for (const CompressedLayer& layer : compression.layers) {
    if (layer.relative_error > error) beyond.push_back(&layer);
  }
  return beyond;
}

Conversion conversion_of(const StoredModel& source, const Compression& compression) {
  Conversion conversion = {.spec = compressed_spec(source, compression.layers)};
  for (const CompressedLayer& layer : compression.layers) {
    for (const auto& [name, values] : layer.after.factors) {
      conversion.made[layer.before.place() + "." + name] = {layer.dtype,
                                                            [&values = values] { return values; }};
    }
  }
  return conversion;
}

}  // namespace ty
