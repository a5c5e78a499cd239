#include "launch/inspect/spectrum.h"

#include <fmt/format.h>

#include "core/linalg/spectrum.h"
#include "launch/report/text.h"
#include "launch/run/model_path.h"
#include "models/huggingface/stored_model.h"

namespace ty {

namespace {

nlohmann::json facts_of(const LinearSite& site, const Spectrum& spectrum) {
  return {{"path", site.path},
          {"in", site.shape.in},
          {"out", site.shape.out},
          {"energy", spectrum.energy},
          {"full_rank", spectrum.sigma.size()},
          {"rank_90", spectrum.rank_90},
          {"stable_rank", spectrum.stable_rank},
          {"numerical_rank", spectrum.numerical_rank},
          {"mean", spectrum.mean},
          {"variance", spectrum.variance},
          {"sparsity", spectrum.sparsity},
          {"singular_values", spectrum.sigma}};
}

std::vector<std::string> row_of(const LinearSite& site, const Spectrum& spectrum) {
  const double full = std::max<double>(1.0, static_cast<double>(spectrum.sigma.size()));
  return {site.path,
          fmt::format("{} x {}", site.shape.in, site.shape.out),
          describe(site.spec),
          fmt::format("{:.4g}", spectrum.energy),
          std::to_string(spectrum.rank_90),
          fmt::format("{:.0f} %", 100 * static_cast<double>(spectrum.rank_90) / full),
          fmt::format("{:.1f}", spectrum.stable_rank),
          std::to_string(spectrum.numerical_rank)};
}

}  // namespace

Inspection inspect_spectrum(const Path& path,
                            const std::function<void(const std::string&)>& progress) {
  const StoredModel model(find_model(path).directory);
  Inspection result;
  result.facts["path"] = model.directory().string();
  result.facts["spectrum"] = nlohmann::json::array();
  Table table({"layer", "in x out", "made of", "energy", "rank at 90 %", "of full", "stable rank",
               "numerical rank"});
  for (const LinearSite& site : model.linear_sites()) {
    progress(site.path);
    const LinearShape size = site.stored();
    const Spectrum spectrum = spectrum_of(Matrix(size.in, size.out, model.dense_weight(site)));
    table.add(row_of(site, spectrum));
    result.facts["spectrum"].push_back(facts_of(site, spectrum));
  }
  result.text = table.str();
  return result;
}

}  // namespace ty
