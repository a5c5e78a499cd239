#include "core/backend/cuda/cudnn/plan.h"

#include <vector>

namespace ty::cudnn {

namespace {

constexpr std::int64_t kMostProposals = 8;

Descriptor operation_graph(const Graph& graph) {
  Descriptor result(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  const std::vector<cudnnBackendDescriptor_t> operations = graph.operations();
  result.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
             std::span<const cudnnBackendDescriptor_t>(operations));
  result.finalize();
  return result;
}

// Engines and their settings, best first; none if cuDNN knows no engine for the graph.
std::vector<Descriptor> proposals(const Descriptor& operations, const DeviceProperties& device) {
  Descriptor heuristics(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, operations)
      .set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, CUDNN_HEUR_MODE_A)
      .set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, device.descriptor());
  if (heuristics.try_finalize() != CUDNN_STATUS_SUCCESS) return {};
  std::vector<Descriptor> configurations;
  std::vector<cudnnBackendDescriptor_t> handles;
  for (std::int64_t i = 0; i < kMostProposals; ++i) {
    configurations.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    handles.push_back(configurations.back().get());
  }
  std::int64_t count = 0;
  const cudnnStatus_t status = cudnnBackendGetAttribute(
      heuristics.get(), CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
      kMostProposals, &count, handles.data());
  if (status != CUDNN_STATUS_SUCCESS) count = 0;
  configurations.erase(configurations.begin() + count, configurations.end());
  return configurations;
}

}  // namespace

std::optional<Plan> Plan::compile(const Graph& graph, const DeviceProperties& device,
                                  std::string& refusal) {
  const Descriptor operations = operation_graph(graph);
  refusal = "cuDNN has no engine for it";
  for (const Descriptor& configuration : proposals(operations, device)) {
    Descriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
    plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configuration)
        .set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, device.descriptor());
    const cudnnStatus_t status = plan.try_finalize();
    if (status == CUDNN_STATUS_SUCCESS) return Plan(std::move(plan));
    refusal = std::string(cudnnGetErrorString(status)) + ": " + last_error();
  }
  return std::nullopt;
}

Plan Plan::load(const std::string& json, const DeviceProperties& device) {
  Descriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
  plan.set(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, json)
      .set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, device.descriptor())
      .finalize();
  return Plan(std::move(plan));
}

std::string Plan::json() const {
  return descriptor_.get_text(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION);
}

}  // namespace ty::cudnn
