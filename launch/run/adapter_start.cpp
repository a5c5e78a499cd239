#include "launch/run/adapter_start.h"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/host_copy.h"
#include "launch/process/on_root.h"
#include "models/huggingface/host_tensor.h"
#include "models/huggingface/stored_model.h"
#include "models/linear/base/drawn_weight.h"
#include "models/linear/lora/start.h"

namespace ty {

namespace {

using Values = std::map<std::string, std::vector<double>>;

Matrix stored_weight(const StoredModel& stored, const std::string& path) {
  const auto& sites = stored.linear_sites();
  const auto site = std::find_if(sites.begin(), sites.end(),
                                 [&](const LinearSite& each) { return each.path == path; });
  TY_CHECK(site != sites.end(), "{} has no {}", stored.directory().string(), path);
  return Matrix(site->shape.in, site->shape.out, stored.dense_weight(*site));
}

void set_own_part(FlatParameters& parameters, std::size_t i, std::vector<double>& whole) {
  const Parameter& parameter = parameters.store().all()[i];
  const Slice& cut = parameter.placement.slice;
  const Shape own = unpadded_shape(parameter.shape, cut);
  const Tensor weight = parameters.weight_of(i);
  const View all = contiguous_view(whole.data(), DType::f64, parameter.whole());
  const HostTensor host(weight.dtype(), own);
  host_copy(cut.dim < 0 ? all : all.slice(cut.dim, cut.first, own[cut.dim]), host.view);
  const Tensor values = Tensor::empty(weight.backend(), own, weight.dtype());
  weight.backend().write(values.view(), host.view.data);
  const View place = weight.view();
  weight.backend().copy(cut.dim < 0 ? place : place.slice(cut.dim, 0, own[cut.dim]), values.view());
}

// Rank 0's, on all ranks.
void share(Values& values, const Group& world, const std::string& counts) {
  const nlohmann::json by_name = nlohmann::json::parse(counts);
  for (const auto& [name, count] : by_name.items()) {
    std::vector<double>& own = values[name];
    own.resize(count.get<std::size_t>());
    world.broadcast(contiguous_view(own.data(), DType::f64, {std::ssize(own)}), 0).wait();
  }
}

void set_where_held(FlatParameters& parameters, const std::string& path, Values& values) {
  const auto& all = parameters.store().all();
  for (auto& [name, whole] : values) {
    const std::string full = path + "." + name;
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const Parameter& each) { return each.name == full; });
    if (found == all.end()) continue;  // it lies on another stage
    set_own_part(parameters, static_cast<std::size_t>(found - all.begin()), whole);
  }
}

}  // namespace

void start_adapters(const JobConfig& job, OpenedModel& model, const Group& world) {
  std::unique_ptr<StoredModel> stored;
  for (const LinearSite& site : model.linear_sites) {
    const auto* spec = site.spec.as<LoraSpec>();
    if (spec == nullptr || !depends_on_weight(spec->options)) continue;
    Values values;
    const std::string counts = on_root(world, [&] {
      if (!job.model.from.empty() && !stored)
        stored = std::make_unique<StoredModel>(job.model.from);
      const auto seed = static_cast<std::uint64_t>(job.run.seed);
      values = adapter_start(*spec, site.shape,
                             stored ? stored_weight(*stored, site.path)
                                    : drawn_weight(site.path, site.shape, spec->of, seed));
      nlohmann::json json = nlohmann::json::object();
      for (const auto& [name, numbers] : values) json[name] = numbers.size();
      return json.dump();
    });
    share(values, world, counts);
    set_where_held(*model.parameters, site.path, values);
  }
  model.parameters->refresh_model();
}

}  // namespace ty
