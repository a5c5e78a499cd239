#include "models/huggingface/conversion.h"

#include "core/base/error.h"
#include "core/base/host_copy.h"
#include "core/io/new_directory.h"
#include "models/huggingface/model_directory.h"
#include "models/huggingface/model_writer.h"
#include "models/linear/kinds.h"

namespace ty {

namespace {

void copy_from_host(const View& to, std::vector<double> values, const std::string& name) {
  TY_CHECK(std::ssize(values) == to.numel(), "{}: {} values for {}", name, values.size(),
           to.shape.str());
  host_copy(contiguous_view(values.data(), DType::f64, to.shape), to);
}

OutgoingParameter outgoing(const StoredModel& source, const Conversion& conversion,
                           const Parameter& parameter) {
  const std::string& name = parameter.name;
  const auto made = conversion.made.find(name);
  if (made == conversion.made.end()) {
    return {name, source.dtype(name), parameter.shape,
            [&source, name](const View& to) { source.read(name, to); }};
  }
  return {name, made->second.dtype, parameter.shape, [&made = made->second, name](const View& to) {
            copy_from_host(to, made.values(), name);
          }};
}

}  // namespace

std::int64_t count_parameters(const ModelSpec& spec) {
  return Model(describe_model(spec), LinearRules(spec.linear)).parameters().count();
}

std::uint64_t write_converted(const StoredModel& source, const Conversion& conversion,
                              const Path& target) {
  const ModelSpec& spec = conversion.spec;
  const Model model(describe_model(spec), LinearRules(spec.linear));
  std::vector<OutgoingParameter> parameters;
  for (const Parameter& parameter : model.parameters().all()) {
    parameters.push_back(outgoing(source, conversion, parameter));
  }
  NewDirectory directory(target);
  directory.add("model.safetensors",
                [&](FileWriter& out) { write_parameters(out, parameters, spec); });
  directory.add("config.json", [&](FileWriter& out) { write_model_config(out, spec); });
  for (const Path& file : source.side_files()) directory.copy(file);
  directory.publish();
  return directory.bytes();
}

Conversion to_dense(const StoredModel& source) {
  Conversion conversion = {.spec = source.spec()};
  conversion.spec.linear.clear();
  for (const LinearSite& site : source.linear_sites()) {
    if (is_dense(site.spec)) continue;
    source.require_matrix(site);
    conversion.made[site.path + ".weight"] = {
        source.dtype(site), [&source, site] { return source.dense_weight(site); }};
  }
  return conversion;
}

std::uint64_t write_copy(const StoredModel& source, const Path& target) {
  source.check_finite();
  NewDirectory directory(target);
  for (const Path& file : source.files()) directory.copy(file);
  directory.publish();
  return directory.bytes();
}

}  // namespace ty
