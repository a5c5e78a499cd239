// Action: one thing that a stage of a pipeline does with one micro-batch.
//
// A pipeline of P stages with v chunks each is a chain of P v virtual stages; chunk c of stage s is
// number c P + s, so that neighbours in the chain are neighbours on the ring of stages:
//
//   stage        0   1   2   0   1   2        P = 3, v = 2
//   chunk        0   0   0   1   1   1
//   virtual      0 > 1 > 2 > 3 > 4 > 5
//
// In code all of them count from 0; texts (F2, F1.2) count from 1.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ty {

struct Action {
  // recompute: forward again, recorded, ahead of a backward.
  enum class Kind : std::uint8_t { forward, recompute, backward };
  Kind kind = Kind::forward;
  int chunk = 0;
  int micro_batch = 0;
  friend bool operator==(const Action&, const Action&) = default;
};

// What a pipeline is made of. A schedule is a function of it.
struct PipeShape {
  int stages = 1;         // P
  int micro_batches = 1;  // M
  int chunks = 1;         // v, of each stage
  // Whether stages keep only what they receive, and compute the rest again before backward.
  bool recompute = false;

  int virtual_stages() const { return stages * chunks; }
  int virtual_stage(int stage, int chunk) const { return chunk * stages + stage; }
  bool is_last(int stage, int chunk) const {
    return virtual_stage(stage, chunk) + 1 == virtual_stages();
  }
  friend bool operator==(const PipeShape&, const PipeShape&) = default;
};

// What every stage does, in order.
struct Program {
  PipeShape shape;
  std::vector<std::vector<Action>> stages;
};

// "F3", or "F2.3" for micro-batch 3 of chunk 2 where there are several.
std::string to_string(const Action& action, const PipeShape& shape);

}  // namespace ty
