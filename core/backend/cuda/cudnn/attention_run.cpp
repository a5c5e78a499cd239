#include "core/backend/cuda/cudnn/attention_run.h"

#include <algorithm>
#include <vector>

#include "core/base/error.h"

namespace ty::cudnn {

Handle::Handle(cudaStream_t stream) {
  cudnnHandle_t handle = nullptr;
  TY_CUDNN_CALL(cudnnCreate(&handle));
  handle_.reset(handle);
  TY_CUDNN_CALL(cudnnSetStream(handle, stream));
}

Descriptor operands(const AttentionPlan& plan, std::span<const Binding> bindings, void* workspace) {
  std::vector<TensorId> ids;
  std::vector<void*> data;
  for (const TensorId id : plan.graph.tensors()) {
    const auto bound = std::find_if(bindings.begin(), bindings.end(),
                                    [id](const Binding& b) { return b.id == id; });
    TY_CHECK(bound != bindings.end(), "nothing is bound to tensor {}", id);
    ids.push_back(id);
    data.push_back(bound->data);
  }
  for (const Scalar& scalar : plan.graph.scalars()) {
    ids.push_back(scalar.id);
    data.push_back(std::visit(
        [](const auto& value) -> void* {
          return const_cast<void*>(static_cast<const void*>(&value));
        },
        scalar.value));
  }
  Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, std::span<const TensorId>(ids))
      .set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, std::span<void* const>(data))
      .set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, workspace)
      .finalize();
  return pack;
}

void run(const Handle& handle, const AttentionPlan& plan, std::span<const Binding> bindings,
         void* workspace) {
  const Descriptor pack = operands(plan, bindings, workspace);
  TY_CUDNN_CALL(cudnnBackendExecute(handle.get(), plan.plan.descriptor().get(), pack.get()));
}

}  // namespace ty::cudnn
