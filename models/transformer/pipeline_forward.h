// A forward pass over all stages of a pipeline, outside of training.
#pragma once

#include "models/transformer/model.h"
#include "parallel/comm/communicator.h"

namespace ty {

// Runs this stage's chunks of a model on a batch that every stage brings: a collective call of the
// pipeline, whose group is on the backend. Returns what readout() takes on the stage that has it,
// nothing elsewhere. A stage may be several calls ahead of the one after it. Records nothing.
Flow forward_through(const Model& model, const Group& pipeline, const ForwardContext& context);

}  // namespace ty
