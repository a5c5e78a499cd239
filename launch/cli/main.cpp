#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "launch/cli/verb.h"

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

// A file of ours must not take the place of a stream that the caller has closed. Opened the wrong
// way round, so that a result that has nowhere to go is an error.
void keep_standard_streams() {
  for (int descriptor = 0; descriptor <= 2; ++descriptor) {
    if (fcntl(descriptor, F_GETFD) != -1) continue;
    [[maybe_unused]] const int opened = open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY);
  }
}

}  // namespace

int main(int argc, char** argv) {
  keep_standard_streams();
  std::signal(SIGXFSZ, SIG_IGN);  // a write beyond `ulimit -f` is an error like any other
  limit_spinning(argv);
  return ty::run_command_line(argc, argv);
}
