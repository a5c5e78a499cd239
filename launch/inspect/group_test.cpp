#include "launch/inspect/group_test.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/linalg/svd.h"
#include "launch/run/evaluation.h"
#include "launch/run/model_setup.h"
#include "launch/run/statistics_pass.h"
#include "models/huggingface/model_directory.h"
#include "models/linear/kinds.h"

namespace ty {

namespace {

// A layer's weight and its singular vectors on the smaller side.
class Layer {
 public:
  Layer(const StoredModel& model, const LinearSite& site) : model_(model), site_(site) {
    const Matrix w = weight();
    const Svd factors = svd(w);
    sigma_ = factors.sigma;
    vectors_ = w.rows <= w.cols ? transpose(factors.u) : factors.vt;
  }

  const std::string& path() const { return site_.path; }
  // Squares of values [first, last) of `groups`, and of all.
  double energy(std::int64_t group, std::int64_t groups) const {
    const auto [first, last] = values(group, groups);
    double sum = 0;
    for (std::int64_t i = first; i < last; ++i) {
      sum += sigma_[static_cast<std::size_t>(i)] * sigma_[static_cast<std::size_t>(i)];
    }
    return sum;
  }
  double energy() const { return energy(0, 1); }

  Matrix without(std::int64_t group, std::int64_t groups) const {
    Matrix w = weight();
    const auto [first, last] = values(group, groups);
    const Matrix v(last - first, vectors_.cols,
                   {vectors_.data.begin() + first * vectors_.cols,
                    vectors_.data.begin() + last * vectors_.cols});  // rows: vectors
    const Matrix part = w.rows <= w.cols ? multiply_transposed(v, multiply(v, w))
                                         : multiply(multiply(w, transpose(v)), v);
    return subtract(std::move(w), part);
  }

 private:
  std::pair<std::int64_t, std::int64_t> values(std::int64_t group, std::int64_t groups) const {
    const std::int64_t all = std::ssize(sigma_);
    return {all * group / groups, all * (group + 1) / groups};
  }
  Matrix weight() const {
    const LinearShape size = site_.shape;
    return {size.in, size.out, model_.dense_weight(site_)};
  }

  const StoredModel& model_;
  LinearSite site_;
  std::vector<double> sigma_;
  Matrix vectors_;  // rows are orthonormal
};

std::vector<Layer> layers_of(const StoredModel& model, const GroupTestOptions& options) {
  std::vector<Layer> layers;
  for (const LinearSite& site : layers_to_watch(model.spec(), model.linear_sites())) {
    if (!is_dense(site.spec)) continue;
    options.progress("singular vectors of " + site.path);
    layers.emplace_back(model, site);
  }
  if (layers.empty()) {
    throw UsageError("{}: has no dense layers whose spectra could be cut",
                     model.directory().string());
  }
  return layers;
}

}  // namespace

GroupTest run_group_test(const StoredModel& model, const GroupTestOptions& options) {
  const std::vector<Layer> layers = layers_of(model, options);
  const auto backend = make_backend(DeviceChoice::automatic);
  const OpenedModel opened = open_model(model.directory(), *backend, only_run());
  const auto objective = objective_of(opened.spec.head);
  const auto loss = [&] {
    return evaluate(*opened.model, *objective, *backend, {*options.examples, options.name},
                    {.sequence = options.sequence, .batch = options.batch})
        .loss;
  };
  GroupTest test = {.loss = loss(), .groups = {}, .layers = layers.size()};
  double all = 0;
  for (const Layer& layer : layers) all += layer.energy();
  for (std::int64_t g = 0; g < options.groups; ++g) {
    options.progress(fmt::format("loss without group {} of {}", g + 1, options.groups));
    SpectrumGroup group;
    for (const Layer& layer : layers) {
      group.energy += layer.energy(g, options.groups) / all;
      const Matrix w = layer.without(g, options.groups);
      const std::vector<float> values(w.data.begin(), w.data.end());
      const Parameter* parameter = opened.model->parameters().find(layer.path() + ".weight");
      backend->write(parameter->value.view(), values.data());
    }
    group.loss = loss();
    test.groups.push_back(group);
  }
  return test;
}

}  // namespace ty
