// Recomputation (Chen et al., arXiv 1604.06174): a function of which only the inputs are kept, and
// whose inside is made again when its gradient is wanted.
//
//   forward       x ->( f, unrecorded )-> y       keeps x, and what once() made inside
//   run()         x ->( f, recorded   )-> y'      the graph of f; once() gives what was kept
//   backward(dy)        <-- through it --  dy     gradients of x and of the leaves that f reads
#pragma once

#include "core/autograd/backward.h"

namespace ty {

// make()'s value, without an edge. Inside a function that will be replayed it is kept, and the
// replay takes it from memory: for what crossed ranks, which a replay must not repeat, and for what
// is dearer to make than to keep. Calls come in the same order in every run of the function.
Tensor once(const std::function<Tensor()>& make);

class OnceTape;

// A function whose inside is made again on demand. It must be a pure function of its inputs and of
// the leaves (parameters) that it refers to.
class Replay {
 public:
  using Fn = std::function<std::vector<Tensor>(std::span<const Tensor>)>;

  // Runs fn(inputs) unrecorded.
  Replay(Fn fn, std::vector<Tensor> inputs);
  ~Replay();
  Replay(Replay&&) noexcept;
  Replay& operator=(Replay&&) noexcept;

  // Of the first run; may be taken away, a replay has no need of them.
  std::vector<Tensor>& outputs() { return outputs_; }
  // The leaves and shared results that fn reads.
  const std::vector<Tensor>& leaves() const { return leaves_; }

  // Makes the inside again, before the gradient is here. Nothing if that is done already.
  void run();
  // Gradients of the inputs, undefined where the input wants none or none came; leaves collect
  // theirs. Runs the function first if nobody has. Once.
  std::vector<Tensor> backward(std::span<const Tensor> dys, const BackwardOptions& options = {});

 private:
  Fn fn_;
  std::vector<SavedTensor> inputs_;
  std::vector<bool> wants_gradient_;
  std::vector<Tensor> outputs_, leaves_;
  std::unique_ptr<OnceTape> tape_;
  // After run():
  std::vector<Tensor> again_, replayed_;
};

// fn(inputs), of which backward keeps only the inputs (and what once() kept): a node that holds a
// Replay.
std::vector<Tensor> recompute(Replay::Fn fn, std::vector<Tensor> inputs);
// The same for a function of one result.
Tensor recompute(std::function<Tensor(std::span<const Tensor>)> fn, std::vector<Tensor> inputs);

}  // namespace ty
