// Output of the binary. Results go to stdout and must be delivered. Remarks (progress, warnings,
// errors) go to stderr and need not be: if nobody can read them they are lost, and the job goes on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ty {

// Remarks to one descriptor. Writing never fails. It waits up to a second for a reader that does
// not keep up; after that, text is dropped until there is room again, and the number of lost lines
// is reported.
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

// Why results printed on stdout could not be written; "" if they were.
std::string lost_results();
// Throws IoError if results could not be written. Call after the last of them.
void finish_results();

// After this call, a reader that goes away (`2>&1 | head`) loses its remarks but does not end the
// job.
void outlive_readers();

}  // namespace ty
