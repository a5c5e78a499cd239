// Stage: all that an executor knows of a model.
#pragma once

#include <vector>

#include "core/tensor/tensor.h"

namespace ty {

using Tensors = std::vector<Tensor>;

struct TensorForm {
  Shape shape;
  DType dtype = DType::f32;
};

class Stage {
 public:
  virtual ~Stage() = default;
  // What enters a virtual stage for a micro-batch, be it this stage's or another one's; its
  // gradients look the same.
  virtual std::vector<TensorForm> boundary(int virtual_stage, int micro_batch) const = 0;
  // Whether a chunk takes a gradient from the next one, which sends none otherwise: nothing may be
  // trained up to its end. Known without a message, on both sides of a boundary alike.
  virtual bool takes_gradient(int /*chunk*/) const { return true; }
  // Each returns what goes to the next, or the one before: contiguous, and nothing at the ends of
  // the chain, or where no gradient is taken; nothing comes in there either.
  virtual Tensors forward(int chunk, int micro_batch, Tensors in) = 0;
  virtual void recompute(int chunk, int micro_batch) = 0;
  virtual Tensors backward(int chunk, int micro_batch, Tensors gradients) = 0;
};

}  // namespace ty
