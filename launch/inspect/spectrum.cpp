#include "launch/inspect/spectrum.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/linalg/spectrum.h"
#include "core/linalg/svd.h"
#include "launch/inspect/spectrum_svg.h"
#include "launch/report/text.h"
#include "launch/run/model_path.h"
#include "models/huggingface/stored_model.h"
#include "models/statistics/statistics_file.h"

namespace ty {

namespace {

// Of one layer.
struct LayerSpectrum {
  LinearSite site;
  Spectrum weight;
  std::vector<double> inputs = {};  // eigenvalues of the Gram matrix, descending
};

std::vector<double> squares(std::vector<double> values) {
  for (double& value : values) value *= value;
  return values;
}

// The fewest of descending energies that make up 90 %.
std::int64_t rank_90(const std::vector<double>& energies) {
  const std::vector<double> shares = energy_curve("", energies).shares;
  const auto enough = [](double share) { return share >= 0.9; };
  const auto found = std::find_if(shares.begin(), shares.end(), enough);
  return found == shares.end() ? 0 : found - shares.begin() + 1;
}

std::string of_full(std::int64_t rank, std::size_t full) {
  return fmt::format(
      "{} ({:.0f} %)", rank,
      100 * static_cast<double>(rank) / static_cast<double>(std::max<std::size_t>(1, full)));
}

nlohmann::json facts_of(const LayerSpectrum& layer) {
  const Spectrum& spectrum = layer.weight;
  nlohmann::json facts = {{"path", layer.site.path},
                          {"in", layer.site.shape.in},
                          {"out", layer.site.shape.out},
                          {"energy", spectrum.energy},
                          {"full_rank", spectrum.sigma.size()},
                          {"rank_90", spectrum.rank_90},
                          {"stable_rank", spectrum.stable_rank},
                          {"numerical_rank", spectrum.numerical_rank},
                          {"mean", spectrum.mean},
                          {"variance", spectrum.variance},
                          {"sparsity", spectrum.sparsity},
                          {"singular_values", spectrum.sigma}};
  if (layer.inputs.empty()) return facts;
  facts["inputs_rank_90"] = rank_90(layer.inputs);
  facts["inputs_energies"] = layer.inputs;
  return facts;
}

std::vector<std::string> row_of(const LayerSpectrum& layer, bool tells_inputs) {
  const Spectrum& spectrum = layer.weight;
  std::vector<std::string> row = {layer.site.path,
                                  fmt::format("{} x {}", layer.site.shape.in, layer.site.shape.out),
                                  describe(layer.site.spec),
                                  fmt::format("{:.4g}", spectrum.energy),
                                  of_full(spectrum.rank_90, spectrum.sigma.size()),
                                  fmt::format("{:.1f}", spectrum.stable_rank),
                                  std::to_string(spectrum.numerical_rank)};
  if (!tells_inputs) return row;
  const std::size_t full = layer.inputs.size();
  row.push_back(full == 0 ? "" : of_full(rank_90(layer.inputs), full));
  return row;
}

void add_group_test(Inspection& result, const GroupTest& test) {
  Table table({"without singular values", "of the energy", "loss", "more"});
  nlohmann::json groups = nlohmann::json::array();
  for (std::size_t g = 0; g < test.groups.size(); ++g) {
    const SpectrumGroup& group = test.groups[g];
    table.add({fmt::format("group {} of {}", g + 1, test.groups.size()),
               fmt::format("{:.2f} %", 100 * group.energy), fmt::format("{:.4f}", group.loss),
               fmt::format("{:+.4f}", group.loss - test.loss)});
    groups.push_back({{"energy", group.energy}, {"loss", group.loss}});
  }
  result.text += fmt::format("  loss of the whole model {:.4f}; without a group in {} layers:\n{}",
                             test.loss, test.layers, table.str());
  result.facts["group_test"] = {{"loss", test.loss}, {"layers", test.layers}, {"groups", groups}};
}

void write_svg(const Path& path, const std::vector<LayerSpectrum>& layers, const GroupTest& test) {
  std::vector<EnergyCurve> curves;
  for (const LayerSpectrum& layer : layers) {
    curves.push_back(energy_curve(layer.site.path, squares(layer.weight.sigma)));
    if (layer.inputs.empty()) continue;
    curves.push_back(energy_curve(layer.site.path, layer.inputs));
    curves.back().of_inputs = true;
  }
  atomic_write_file(path, bytes_of(spectrum_svg(curves, test)));
}

}  // namespace

Inspection inspect_spectrum(const Path& path, const SpectrumOptions& options) {
  const StoredModel model(find_model(path).directory);
  std::optional<StatisticsFile> statistics;
  if (!options.statistics.empty()) statistics.emplace(options.statistics);
  GroupTest test;
  if (options.test != nullptr) test = run_group_test(model, *options.test);
  std::vector<LayerSpectrum> layers;
  std::vector<std::string> others;  // are no matrix
  for (const LinearSite& site : model.linear_sites()) {
    if (!is_one_matrix(site.spec)) {
      others.push_back(fmt::format("{} ({})", site.path, describe(site.spec)));
      continue;
    }
    options.progress("spectrum of " + site.path);
    const LinearShape size = site.shape;
    layers.push_back(
        {.site = site, .weight = spectrum_of(Matrix(size.in, size.out, model.dense_weight(site)))});
    if (!statistics || !statistics->has(site.path, StatisticKind::gram)) continue;
    statistics->check(site, {.gram = true});
    layers.back().inputs = singular_values(statistics->read(site).gram);
  }
  Inspection result;
  result.facts["path"] = model.directory().string();
  result.facts["spectrum"] = nlohmann::json::array();
  std::vector<std::string> header = {"layer",        "in x out",    "made of",       "energy",
                                     "rank at 90 %", "stable rank", "numerical rank"};
  if (statistics) header.emplace_back("of inputs at 90 %");
  Table table(std::move(header));
  for (const LayerSpectrum& layer : layers) {
    table.add(row_of(layer, statistics.has_value()));
    result.facts["spectrum"].push_back(facts_of(layer));
  }
  result.text = table.str();
  if (!others.empty()) {
    result.text += fmt::format("  no one matrix stands for {}\n", fmt::join(others, ", "));
    result.facts["no_matrix"] = others;
  }
  if (options.test != nullptr) add_group_test(result, test);
  if (!options.svg.empty()) write_svg(options.svg, layers, test);
  return result;
}

}  // namespace ty
