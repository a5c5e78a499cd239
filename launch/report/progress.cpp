#include "launch/report/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include "launch/report/text.h"

namespace ty {

std::string format_progress(const Progress& p) {
  const auto width = fmt::formatted_size("{}", p.steps);
  std::string line =
      fmt::format("step {:>{}}/{}  loss {:7.4f}  lr {:.2e}  |g| {:6.3f}  {:>6} tok/s  {:>6}FLOP/s",
                  p.step, width, p.steps, p.loss, p.learning_rate, p.gradient_norm,
                  human_count(p.tokens_per_second), human_count(p.flops_per_second));
  if (p.ceiling > 0) line += fmt::format(" {:3.0f} %", 100.0 * p.flops_per_second / p.ceiling);
  line += fmt::format("  mem {:>8}  left {}", human_bytes(p.peak_bytes),
                      human_duration(p.seconds_left));
  return line;
}

ProgressLine::ProgressLine() : out_(STDERR_FILENO), in_place_(isatty(STDERR_FILENO) != 0) {}

void ProgressLine::show(const std::string& line) {
  out_.write(fmt::format("{}{}{}", in_place_ ? "\r\033[K" : "", line, in_place_ ? "" : "\n"));
  open_ = in_place_;
}

void ProgressLine::note(const std::string& text) {
  finish();
  out_.write(text + "\n");
}

void ProgressLine::finish() {
  if (open_) out_.write("\n");
  open_ = false;
}

}  // namespace ty
