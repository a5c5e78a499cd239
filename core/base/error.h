// Errors that a user can meet, and the exit code with which each one ends the process.
//
// Library code throws these; only launch/ prints and exits. A message names the place (file, key or
// tensor), shows both values and says what would be right. Messages are one line.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace ty {

// Exit codes of the process; the numbers are part of the contract with users (after sysexits.h).
enum class ExitCode : int {
  ok = 0,
  usage = 64,          // wrong command line
  bad_data = 65,       // dataset, checkpoint or tokenizer file is wrong or damaged
  internal = 70,       // an invariant of ours is broken
  out_of_memory = 71,  // does not fit
  io = 74,             // the file system refused
  peer_lost = 75,      // another rank died or hangs; safe to retry
  non_finite = 76,     // NaN or infinity in loss, gradient or weights
  config = 78,         // the job file is wrong
  hung_up = 129,       // stopped by SIGHUP with a checkpoint
  interrupted = 130,   // stopped on request (SIGINT) with a checkpoint
  terminated = 143,    // stopped on request (SIGTERM, SIGUSR1) with a checkpoint
};

// The dotted key of the job file that an error is about. Whoever loaded the file adds where the key
// was stated (core/config/load.h).
struct Key {
  std::string name;
};

// Root of all errors of this project.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  // The message becomes "KEY: MESSAGE"; an empty key adds nothing.
  Error(ExitCode code, Key key, const std::string& message)
      : std::runtime_error(key.name.empty() ? message : key.name + ": " + message),
        code_(code),
        key_(std::move(key.name)) {}
  ExitCode code() const { return code_; }
  // Empty if the error is about no key.
  const std::string& key() const { return key_; }

 private:
  ExitCode code_;
  std::string key_;
};

// One class per cause; all are built from a fmt format string and its arguments, some after a Key.
#define TY_DEFINE_ERROR(Name, exit_code)                                                        \
  class Name : public Error {                                                                   \
   public:                                                                                      \
    template <typename... Args>                                                                 \
    explicit Name(fmt::format_string<Args...> format, Args&&... args)                           \
        : Error(exit_code, fmt::format(format, std::forward<Args>(args)...)) {}                 \
    template <typename... Args>                                                                 \
    explicit Name(Key key, fmt::format_string<Args...> format, Args&&... args)                  \
        : Error(exit_code, std::move(key), fmt::format(format, std::forward<Args>(args)...)) {} \
  }

TY_DEFINE_ERROR(ShapeError, ExitCode::internal);     // operands of an op do not fit together
TY_DEFINE_ERROR(InternalError, ExitCode::internal);  // a TY_CHECK failed
TY_DEFINE_ERROR(UsageError, ExitCode::usage);
TY_DEFINE_ERROR(DataError, ExitCode::bad_data);
TY_DEFINE_ERROR(IoError, ExitCode::io);
TY_DEFINE_ERROR(OutOfMemoryError, ExitCode::out_of_memory);
TY_DEFINE_ERROR(CommError, ExitCode::peer_lost);
TY_DEFINE_ERROR(DeviceError, ExitCode::internal);
TY_DEFINE_ERROR(NonFiniteError, ExitCode::non_finite);
TY_DEFINE_ERROR(ConfigError, ExitCode::config);

#undef TY_DEFINE_ERROR

}  // namespace ty

// Programmer mistakes: not for bad input of a user.
#define TY_CHECK(condition, ...)                                                                \
  do {                                                                                          \
    if (!(condition)) {                                                                         \
      throw ::ty::InternalError("{}:{}: check '{}' failed: {}", __FILE__, __LINE__, #condition, \
                                ::fmt::format(__VA_ARGS__));                                    \
    }                                                                                           \
  } while (false)
