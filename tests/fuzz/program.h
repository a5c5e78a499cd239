// The built binary run with limits, as a stranger's shell would run it.
#pragma once

#include <string>
#include <vector>

namespace ty::test {

struct Outcome {
  int code = 0;          // exit code
  int signal = 0;        // that ended it; 0: none
  double seconds = 0;    // of the processor: what else the machine does is not the program's
  double mebibytes = 0;  // most memory at one time
  std::string out, err;

  // "signal 11", "exit code 65, 0.1 s, 20 MiB: LAST LINE OF STDERR".
  std::string describe() const;
};

// Runs `arguments` (the first names the program) in a directory, for 20 seconds at most.
Outcome run_program(const std::vector<std::string>& arguments, const std::string& directory);

}  // namespace ty::test
