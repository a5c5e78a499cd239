#include "models/huggingface/model_writer.h"

#include <memory>
#include <vector>

#include "core/base/host_copy.h"
#include "models/families/family.h"
#include "models/huggingface/host_tensor.h"

namespace ty {

namespace {

// A tensor of the file and where its numbers come from.
struct OutgoingPart {
  const OutgoingParameter* parameter;
  StoredPart part;
};

}  // namespace

std::vector<TensorInfo> tensors_of(std::span<const OutgoingParameter> parameters,
                                   const ModelSpec& spec) {
  std::vector<TensorInfo> infos;
  for (const OutgoingParameter& each : parameters) {
    for (StoredPart& part : family_of(spec).parts(spec, each.name, each.shape)) {
      infos.push_back({part.names.front(), each.dtype, part.shape});
    }
  }
  return infos;
}

std::vector<TensorInfo> write_parameters(FileWriter& out,
                                         std::span<const OutgoingParameter> parameters,
                                         const ModelSpec& spec,
                                         const std::map<std::string, std::string>& names) {
  std::vector<TensorInfo> infos;
  std::map<std::string, OutgoingPart> by_name;
  for (const OutgoingParameter& parameter : parameters) {
    for (StoredPart& part : family_of(spec).parts(spec, parameter.name, parameter.shape)) {
      const std::string& own = part.names.front();
      const std::string name = names.empty() ? own : names.at(own);
      infos.push_back({name, parameter.dtype, part.shape});
      by_name[name] = {&parameter, std::move(part)};
    }
  }
  SafetensorsWriter writer(out, std::move(infos), {{"format", "pt"}});
  const OutgoingParameter* filled = nullptr;
  std::unique_ptr<HostTensor> whole;
  for (const TensorInfo& info : writer.order()) {
    const auto& [parameter, part] = by_name.at(info.name);
    if (filled != parameter) {
      whole = std::make_unique<HostTensor>(parameter->dtype, parameter->shape);
      parameter->fill(whole->view);
      filled = parameter;
    }
    if (!part.place) {
      writer.append(contiguous_view(whole->view.data, info.dtype, info.shape));
      continue;
    }
    const View place = part.place(whole->view);
    const HostTensor ordered(info.dtype, place.shape);
    host_copy(place, ordered.view);
    writer.append(contiguous_view(ordered.view.data, info.dtype, info.shape));
  }
  writer.finish();
  return writer.order();
}

void write_parameters(FileWriter& out, const FlatParameters& parameters, const ModelSpec& spec,
                      Content content, const std::map<std::string, std::string>& names) {
  with_whole_parameters(parameters, content, Group(),
                        [&](std::span<const OutgoingParameter> outgoing) {
                          write_parameters(out, outgoing, spec, names);
                        });
}

}  // namespace ty
