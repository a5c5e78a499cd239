// Computes a graph as it is written, on the host in double: what cuDNN is asked to fuse, without
// it.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "core/backend/cuda/cudnn/graph.h"

namespace ty::test {

// Memory of the graph's tensors by id; strides count elements of these.
using Memory = std::map<cudnn::TensorId, std::vector<double>>;

// Runs all steps. What the graph writes to memory is in `memory` afterwards. Throws InternalError
// for an operation that is not one of attention's.
void evaluate(const cudnn::Graph& graph, Memory& memory);

}  // namespace ty::test
