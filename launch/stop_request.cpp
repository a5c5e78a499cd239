#include "launch/stop_request.h"

#include <unistd.h>

#include <array>
#include <csignal>

namespace ty {

namespace {

constexpr std::array<int, 3> kSignals = {SIGTERM, SIGUSR1, SIGINT};
// The one thing a signal handler may touch.
volatile std::sig_atomic_t g_signal = 0;

void on_signal(int signal) {
  if (g_signal != 0) _exit(static_cast<int>(exit_code_of(signal)));
  g_signal = signal;
}

}  // namespace

StopRequests::StopRequests() {
  g_signal = 0;
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  for (int signal : kSignals) sigaction(signal, &action, nullptr);
}

StopRequests::~StopRequests() {
  for (int signal : kSignals) std::signal(signal, SIG_DFL);
}

int StopRequests::signal() const { return g_signal; }

ExitCode exit_code_of(int signal) {
  return signal == SIGINT ? ExitCode::interrupted : ExitCode::terminated;
}

}  // namespace ty
