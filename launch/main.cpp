#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "launch/verb.h"

namespace {

// By default OpenMP's threads spin long for work. On a machine that others use too, each region
// then waits for a whole time slice of theirs: steps become a hundred times slower. To sleep at
// once costs up to a fifth where products are short (TTM layers), so they spin for about half a
// millisecond. The library reads its settings before main(), so the way to a better default is to
// start again with it.
void limit_spinning(char** argv) {
  if (std::getenv("GOMP_SPINCOUNT") != nullptr || std::getenv("OMP_WAIT_POLICY") != nullptr) return;
  setenv("GOMP_SPINCOUNT", "10000", 1);
  // By its own path, so that ps and pkill know it by its name. On failure we go on as we are.
  std::error_code error;
  execv(std::filesystem::read_symlink("/proc/self/exe", error).c_str(), argv);
}

}  // namespace

int main(int argc, char** argv) {
  limit_spinning(argv);
  return ty::run_command_line(argc, argv);
}
