#include "models/compress/compression.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/error.h"
#include "core/base/glob.h"
#include "models/compress/first_order.h"
#include "models/compress/stored.h"
#include "models/compress/tfwsvd.h"
#include "models/linear/adapters.h"
#include "models/linear/dense_weight.h"
#include "models/linear/kinds.h"

namespace ty {

namespace {

std::string names_of(const std::vector<LinearSite>& sites) {
  std::vector<std::string> paths;
  for (const LinearSite& site : sites) paths.push_back(site.path);
  return fmt::format("{}", fmt::join(paths, ", "));
}

// Whether a layer has factors that the method makes lower ranks of.
bool is_reduced(const LinearSite& site, const Method& method) {
  return method.reduce != nullptr && kind_name(site.spec) == method.kind;
}

void check_takes(const LinearSite& site, const Method& method) {
  if (!site.is_table() || method.fits_tables) return;
  std::vector<std::string_view> others;
  for (const Method& each : methods()) {
    if (each.fits_tables) others.push_back(each.name);
  }
  throw UsageError("{}: a token table, which cannot be cut by {}; want --method {} for it",
                   site.path, method.name, fmt::join(others, " or "));
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

namespace {

bool matches(const std::string& pattern, const LinearSite& site) {
  return glob_match(pattern, site.path);
}

}  // namespace

void check_patterns(const StoredModel& source, const std::vector<std::string>& patterns) {
  const std::vector<LinearSite>& all = source.linear_sites();
  for (const std::string& pattern : patterns) {
    if (std::none_of(all.begin(), all.end(), std::bind_front(matches, pattern))) {
      throw UsageError("--match: \"{}\" matches no linear layer of {}; there are: {}", pattern,
                       source.directory().string(), names_of(all));
    }
  }
}

std::vector<LinearSite> layers_to_compress(const StoredModel& source, const Method& method,
                                           const std::vector<std::string>& patterns) {
  check_patterns(source, patterns);
  std::vector<LinearSite> found;
  for (const LinearSite& site : source.linear_sites()) {
    const auto is_meant = [&](const std::string& pattern) { return matches(pattern, site); };
    if (std::any_of(patterns.begin(), patterns.end(), is_meant)) {
      check_takes(site, method);
      found.push_back(site);
    }
  }
  return found;
}

namespace {

// The factors of a layer as they are stored.
Decomposition factors_of(const StoredModel& source, const LinearSite& site) {
  Decomposition result;
  result.spec = site.spec;
  dense_weight(site.spec, site.shape, [&](const std::string& name, const Shape& shape) {
    return result.factors[name] = source.values(site.path + "." + name, shape);
  });
  return result;
}

double root_of_ratio(double error, double whole) {
  return whole > 0 ? std::sqrt(error / whole) : 0;
}

// tr(a^T gram a): of a weight, the mean square of what a row of inputs gives.
double output_energy(const Matrix& gram, const Matrix& a) {
  const Matrix product = multiply(gram, a);
  double sum = 0;
  for (std::size_t i = 0; i < a.data.size(); ++i) sum += a.data[i] * product.data[i];
  return std::max(sum, 0.0);
}

}  // namespace

void check_request(const LinearSite& site, const Method& method,
                   const DecompositionRequest& request) {
  at(site, [&] { method.check(site.shape, request); });
}

namespace {

// One compression at work.
class Compressing {
 public:
  Compressing(const StoredModel& source, const Method& method, const CompressionOptions& options)
      : source_(source), method_(method), options_(options) {}

  void check(const LinearSite& site, const DecompositionRequest& request) const {
    const LinearSite cut = cut_of(site);
    if (!is_one_matrix(cut.spec)) {
      const bool has_adapter = adapted(cut.spec) != nullptr;
      throw UsageError("{}: {}: no one matrix stands for it that {} could cut; leave it out{}",
                       site.path, describe(cut.spec), method_.name,
                       has_adapter ? ", or cut what is adapted with --keep-adapters" : "");
    }
    if (method_.of_pruned && cut.spec.as<PrunedSpec>() == nullptr) {
      const LinearSpec* base = adapted(cut.spec);
      if (base != nullptr && base->as<PrunedSpec>() != nullptr) {
        throw UsageError("{}: {}: {} cuts what is pruned, beside its adapter: --keep-adapters",
                         site.path, describe(cut.spec), method_.name);
      }
      throw UsageError(
          "{}: {}, but {} wants layers that were trained as pruned ones: --method "
          "first_order, then training",
          site.path, describe(cut.spec), method_.name);
    }
    if (method_.kind == PrunedSpec::kKind && source_.dtype(site) == DType::f16) {
      throw UsageError(
          "{}: fp16, which has no numbers as small as the scores of {}; want a model in "
          "fp32 or bf16",
          site.path, method_.name);
    }
    check_request(site, method_, request);
    if (!method_.needs_statistics()) return;
    TY_CHECK(options_.statistics != nullptr, "{} wants statistics", method_.name);
    options_.statistics->check(site, method_.needs);
  }

  RankSpectrum spectrum(const LinearSite& site, const DecompositionRequest& request) const {
    return at(site, [&] {
      const LinearSite cut = cut_of(site);
      return method_.spectrum(weight(cut), request, statistics_of(cut));
    });
  }

  CompressedLayer layer(const LinearSite& site, const DecompositionRequest& request) const {
    const LinearSite cut = cut_of(site);
    const Matrix w = weight(cut);
    const LayerStatistics statistics = statistics_of(cut);
    const auto decompose = [&](const DecompositionRequest& wanted) {
      return is_reduced(cut, method_) ? method_.reduce(factors_of(source_, cut), cut.shape, wanted)
                                      : method_.decompose(w, wanted, statistics);
    };
    const DType dtype = source_.dtype(site);
    Decomposition after = at(site, [&] {
      return decompose_stored(decompose, w, request, dtype, !method_.is_weighted());
    });
    CompressedLayer result;
    result.before = site;
    result.dtype = dtype;
    result.relative_error = root_of_ratio(after.error * after.error, energy(w));
    result.after = std::move(after);
    weigh_error(result, w, statistics);
    if (has_kept_adapter(site)) {
      result.after.spec = adapter_beside(site.spec, result.after.spec);
    }
    return result;
  }

 private:
  bool has_kept_adapter(const LinearSite& site) const {
    return options_.keeps_adapters && adapted(site.spec) != nullptr;
  }
  // The layer, or what its adapter stands beside.
  LinearSite cut_of(const LinearSite& site) const {
    LinearSite cut = site;
    if (has_kept_adapter(site)) cut.spec = *adapted(site.spec);
    return cut;
  }
  Matrix weight(const LinearSite& site) const {
    const LinearShape size = site.shape;
    return is_dense(site.spec) ? Matrix(size.in, size.out,
                                        source_.values(site.path + ".weight", {size.in, size.out}))
                               : Matrix(size.in, size.out, source_.dense_weight(site));
  }
  // Of a file, if there is one, and of the layer itself. A token table has none.
  LayerStatistics statistics_of(const LinearSite& site) const {
    LayerStatistics statistics;
    if (options_.statistics != nullptr && !site.is_table()) {
      statistics = options_.statistics->read(site);
    }
    if (const auto* pruned = site.spec.as<PrunedSpec>(); pruned != nullptr && method_.of_pruned) {
      statistics.scores =
          gains(*pruned, factors_of(source_, site).factors.at("scores"), site.shape);
    }
    return statistics;
  }
  static void weigh_error(CompressedLayer& layer, const Matrix& w,
                          const LayerStatistics& statistics) {
    const bool has_fisher = statistics.has(StatisticKind::fisher);
    const bool has_gram = statistics.has(StatisticKind::gram);
    if (!has_fisher && !has_gram) return;
    const Matrix apart = difference(layer.after, w);
    if (has_fisher) {
      layer.fisher_error = root_of_ratio(weighted_energy(statistics.fisher, apart),
                                         weighted_energy(statistics.fisher, w));
    }
    if (has_gram) {
      layer.output_error =
          root_of_ratio(output_energy(statistics.gram, apart), output_energy(statistics.gram, w));
    }
  }

  const StoredModel& source_;
  const Method& method_;
  const CompressionOptions& options_;
};

// A request for each layer, of ranks that together keep the share.
std::vector<DecompositionRequest> by_sensitivity(const Compressing& work,
                                                 const std::vector<LinearSite>& layers,
                                                 const DecompositionRequest& request,
                                                 const CompressionOptions& options) {
  std::vector<RankSpectrum> spectra;
  std::vector<RankCosts> costs;
  double dense = 0;
  for (const LinearSite& site : layers) {
    options.progress(spectra.size());
    spectra.push_back(work.spectrum(site, request));
    const std::int64_t in = site.shape.in, out = site.shape.out;
    costs.push_back({in + out, std::max<std::int64_t>(1, in * out / (in + out))});
    dense += static_cast<double>(in) * static_cast<double>(out);
  }
  const double share = std::get<ShareBudget>(request.budget).share;
  std::vector<DecompositionRequest> requests;
  for (const std::int64_t rank :
       allocate_ranks(spectra, costs, static_cast<std::int64_t>(share * dense))) {
    requests.push_back(request);
    requests.back().budget = RankBudget{rank};
  }
  return requests;
}

}  // namespace

Compression compress(const StoredModel& source, const std::vector<LinearSite>& layers,
                     const Method& method, const DecompositionRequest& request,
                     const CompressionOptions& options) {
  Compression result = {.layers = {},
                        .parameters_before = source.parameters().count(),
                        .parameters_after = 0,
                        .tokens = source.spec().context};
  const Compressing work(source, method, options);
  for (const LinearSite& site : layers) work.check(site, request);
  const std::vector<DecompositionRequest> requests =
      options.allocation == Allocation::sensitivity
          ? by_sensitivity(work, layers, request, options)
          : std::vector<DecompositionRequest>(layers.size(), request);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    options.progress(i);
    result.layers.push_back(work.layer(layers[i], requests[i]));
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
      conversion.made[layer.before.path + "." + name] = {layer.dtype,
                                                         [&values = values] { return values; }};
    }
  }
  return conversion;
}

}  // namespace ty
