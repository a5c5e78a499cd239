// What the binary says. Results go to stdout and must arrive. Remarks (progress, warnings, errors)
// go to stderr and must not: where nobody can read them they are lost, and the job goes on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ty {

// Remarks to one descriptor. Writing never fails. It waits a second for a reader that does not keep
// up; after that, text is dropped until there is room again, and the number of lost lines is told.
class Remarks {
 public:
  explicit Remarks(int descriptor) : descriptor_(descriptor) {}
  void write(std::string_view text);

 private:
  bool has_room(int milliseconds) const;
  // False if there was no room for all of it in time.
  bool deliver(std::string_view text, int milliseconds) const;

  int descriptor_;
  std::int64_t lost_ = 0;  // lines
};

// One line on stderr.
void remark(std::string_view line);

// Why what was printed on stdout could not be written; "" if it could.
std::string lost_results();
// Throws IoError if it could not. Call when all is printed.
void finish_results();

// A reader that goes away (`2>&1 | head`) then costs the remarks to it, not the job.
void outlive_readers();

}  // namespace ty
