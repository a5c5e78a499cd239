// A trace of the first steps of a run: what every rank did when, as a file that Perfetto and
// Chrome's tracing page show.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "parallel/mesh/mesh.h"
#include "parallel/pipeline/timeline.h"

namespace ty {

class Trace {
 public:
  // Of so many steps; 0: of none. A collective call of the mesh's world, whose ranks agree on the
  // clock of rank 0.
  Trace(const Mesh& mesh, std::int64_t steps);

  void begin_step(std::int64_t step);
  void add(const Span& span, const PipeShape& shape);
  // True if this was the last step that is traced.
  bool end_step();
  // Whether there is something to take(); the same on all ranks.
  bool has_events() const { return !events_.empty(); }
  // The file's text, on rank 0, and "" elsewhere. A collective call, made once.
  std::string take();

 private:
  struct Event {
    std::string name;
    double begin, end;  // seconds of rank 0's clock
    std::int64_t step;
    std::string receives, sends;  // names of messages; may be empty
  };
  double now() const;

  const Mesh* mesh_;
  std::int64_t steps_, first_ = -1, step_ = -1;
  double offset_ = 0.0;  // what to add to this rank's clock
  double step_begin_ = 0.0;
  std::vector<Event> events_;
};

}  // namespace ty
