#include "launch/process/stop_request.h"

#include <unistd.h>

#include <array>
#include <csignal>
#include <cstddef>

namespace ty {

namespace {

constexpr std::array<int, 4> kSignals = {SIGTERM, SIGUSR1, SIGINT, SIGHUP};
// The one thing a signal handler may touch.
volatile std::sig_atomic_t g_signal = 0;

// Handlers run on a stack of their own. On the stack of the interrupted code, about 4 of 100 stops
// ended in a corrupted heap once products ran in oneDNN, whose run-time code seems to keep data
// below the stack pointer; with a stack of their own none of 150 did.
alignas(16) std::array<std::byte, 1 << 16> g_stack;

void on_signal(int signal) {
  if (g_signal != 0) _exit(static_cast<int>(exit_code_of(signal)));
  g_signal = signal;
}

// As under nohup.
bool is_ignored(int signal) {
  struct sigaction now = {};
  sigaction(signal, nullptr, &now);
  return now.sa_handler == SIG_IGN;
}

}  // namespace

StopRequests::StopRequests() {
  g_signal = 0;
  stack_t stack = {};
  stack.ss_sp = g_stack.data();
  stack.ss_size = g_stack.size();
  sigaltstack(&stack, nullptr);
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART | SA_ONSTACK;
  for (int signal : kSignals) {
    if (signal != SIGHUP || !is_ignored(signal)) sigaction(signal, &action, nullptr);
  }
}

StopRequests::~StopRequests() {
  for (int signal : kSignals) {
    if (!is_ignored(signal)) std::signal(signal, SIG_DFL);
  }
}

int StopRequests::signal() const { return g_signal; }

ExitCode exit_code_of(int signal) {
  if (signal == SIGHUP) return ExitCode::hung_up;
  return signal == SIGINT ? ExitCode::interrupted : ExitCode::terminated;
}

}  // namespace ty
