// A small stored model with random numbers, what compress makes of it, and what both answer.
#pragma once

#include <gtest/gtest.h>

#include <cmath>

#include "core/base/error.h"
#include "launch/run/probe.h"
#include "models/compress/compression.h"
#include "models/huggingface/model_directory.h"
#include "models/huggingface/model_writer.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tensors.h"

namespace ty::test {

inline const std::vector<std::int32_t> kTokens = {3, 17, 0, 22, 9, 9, 30, 1, 12};

class CompressedModel : public testing::Test {
 protected:
  TempDir temp_;
  std::unique_ptr<Backend> backend_ = make_cpu_backend();

  static const Method& method(std::string_view name) {
    for (const Method& each : methods()) {
      if (each.name == name) return each;
    }
    throw InternalError("no method {}", name);
  }

  // A model with weights large enough that all of them matter to its logits.
  Path random_model(bool tied, DType dtype = DType::f32,
                    const std::vector<LinearRule>& rules = {}) {
    const Path directory = temp_ / "model";
    std::filesystem::create_directory(directory);
    ModelSpec config = {
        .layers = 2, .width = 24, .heads = 3, .context = 12, .vocab = 31, .tied = tied};
    Model model(describe_model(config), LinearRules(rules));
    config.linear = exact_rules(model.linear_sites());
    FlatParameters parameters(model.parameters(), plan_flat_layout(model.parameters(), 1, 1),
                              *backend_, {.compute = dtype, .weights = dtype});
    for (std::size_t i = 0; i < parameters.layout().parameters.size(); ++i) {
      const Tensor weight = parameters.weight_of(i);
      const std::string& name = model.parameters().all()[i].name;
      const double scale = weight.rank() == 2 ? 0.3 : 0.5;
      backend_->axpby(weight.view(), scale,
                      random_tensor(*backend_, weight.shape(), name, DType::f32).view(), 0.0);
    }
    FileWriter out(directory / "model.safetensors");
    write_parameters(out, parameters, config, Content::weights);
    out.finish();
    FileWriter text(directory / "config.json");
    write_model_config(text, config);
    text.finish();
    return directory;
  }

  Compression compress_to(const Path& target, const StoredModel& source, std::string_view name,
                          const DecompositionRequest& request, const std::string& pattern,
                          const CompressionOptions& options = {}) {
    const auto layers = layers_to_compress(source, method(name), {pattern});
    Compression result = compress(source, layers, method(name), request, options);
    write_converted(source, conversion_of(source, result), target);
    return result;
  }

  struct Answer {
    std::vector<double> logits;
    double loss;
  };
  Answer answer(const Path& directory) {
    Probe probe(directory, *backend_);
    probe.run(kTokens);
    return {doubles(probe.logits()), probe.loss()};
  }
};

inline double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  double worst = a.size() == b.size() ? 0 : INFINITY;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    worst = std::max(worst, std::abs(a[i] - b[i]));
  }
  return worst;
}

inline double relative_distance(const std::vector<double>& before,
                                const std::vector<double>& after) {
  double error = 0, energy = 0;
  for (std::size_t k = 0; k < before.size(); ++k) {
    error += (before[k] - after[k]) * (before[k] - after[k]);
    energy += before[k] * before[k];
  }
  return std::sqrt(error / energy);
}

}  // namespace ty::test
