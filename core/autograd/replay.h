// Recomputation (Chen et al., arXiv 1604.06174): only the inputs of a function are kept; its
// intermediate results are computed again when its gradient is needed.
//
//   forward       x ->( f, unrecorded )-> y       keeps x, and what once() and dear() made inside
//   run()         x ->( f, recorded   )-> y'      the graph of f; they give what was kept
//   backward(dy)        <-- through it --  dy     gradients of x and of the leaves that f reads
#pragma once

#include "core/autograd/backward.h"

namespace ty {

// How much a replayed function computes again. all: everything but the results of communication.
// cheap: what dear() makes is kept as well (selective recomputation: Korthikanti et al., arXiv
// 2205.05198).
enum class Recomputed : std::uint8_t { all, cheap };

// Each gives make()'s value, without an edge. Inside a function that will be replayed, calls must
// come in the same order in every run.
//
// The value is kept and the replay reuses it: for results of communication, which a replay must not
// repeat.
Tensor once(const std::function<Tensor()>& make);
// The same if only what is cheap is recomputed: for values that cost more to make than to keep.
Tensor dear(const std::function<Tensor()>& make);
// For a value that nothing reads in a replay, as it only went into once(): there, memory of its
// shape that holds anything.
Tensor unread(const std::function<Tensor()>& make);

class OnceTape;

// A function that is recomputed on demand. It must be a pure function of its inputs and of the
// leaves (parameters) that it refers to.
class Replay {
 public:
  using Fn = std::function<std::vector<Tensor>(std::span<const Tensor>)>;

  // Runs fn(inputs) unrecorded.
  Replay(Fn fn, std::vector<Tensor> inputs, Recomputed recomputed = Recomputed::all);
  ~Replay();
  Replay(Replay&&) noexcept;
  Replay& operator=(Replay&&) noexcept;

  // The results of the first run; they may be moved out, as a replay does not need them.
  std::vector<Tensor>& outputs() { return outputs_; }
  // The leaves and shared results that fn reads.
  const std::vector<Tensor>& leaves() const { return leaves_; }

  // Recomputes the function ahead of its gradient; does nothing if that has been done.
  void run();
  // After run(): what the function gave this time, with the graph behind it.
  const std::vector<Tensor>& recorded() const { return replayed_; }
  // After a backward() from what was recorded: gradients of the inputs, undefined where an input
  // needs none or received none.
  std::vector<Tensor> input_gradients() const;
  // Gradients of the inputs, undefined where an input needs none or received none; leaves collect
  // theirs. Calls run() first if nobody has. May be called once.
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

// fn(inputs) as one node that holds a Replay: only the inputs, and the values of once() and dear(),
// are kept for backward.
std::vector<Tensor> recompute(Replay::Fn fn, std::vector<Tensor> inputs,
                              Recomputed recomputed = Recomputed::all);
// The same for a function with one result.
Tensor recompute(std::function<Tensor(std::span<const Tensor>)> fn, std::vector<Tensor> inputs,
                 Recomputed recomputed = Recomputed::all);

}  // namespace ty
