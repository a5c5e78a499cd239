// The progress line of a training run: rewritten in place on a terminal, separate lines in a file.
#pragma once

#include <cstdint>
#include <string>

#include "launch/process/output.h"

namespace ty {

struct Progress {
  std::int64_t step = 0;   // steps done
  std::int64_t steps = 0;  // of the whole run
  double loss = 0, learning_rate = 0, gradient_norm = 0;
  double tokens_per_second = 0;
  double flops_per_second = 0;  // matrix products
  double ceiling = 0;           // measured GEMM rate of this machine, FLOP/s; 0: unknown
  double peak_bytes = 0;
  double seconds_left = 0;
};

// Without a newline. Columns keep their width from step to step.
std::string format_progress(const Progress& progress);

class ProgressLine {
 public:
  // Writes to stderr; in place if that is a terminal.
  ProgressLine();
  void update(const Progress& progress) { show(format_progress(progress)); }
  // The same for other long-running work.
  void show(const std::string& line);
  // Prints a separate line (evaluation, sample, checkpoint) without damaging the progress line.
  void note(const std::string& text);
  // Ends the progress line, if there is one.
  void finish();

 private:
  Remarks out_;
  bool in_place_;
  bool open_ = false;
};

}  // namespace ty
