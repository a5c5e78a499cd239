// What went wrong, as reported to the user and to other ranks: our own errors and those of
// libraries.
#pragma once

#include <string>

#include "core/base/error.h"

namespace ty {

struct Failure {
  ExitCode code = ExitCode::ok;
  std::string key;     // of the job file, if the error concerns one
  std::string reason;  // begins with the key, if any
};

// The failure that corresponds to the exception being handled. Our own errors carry their exit
// code; errors of the system and of the standard library are given one here. Call in a catch block.
Failure current_failure();

// Throws a failure of this or another rank as an Error.
[[noreturn]] void rethrow(const Failure& failure);

// Runs work that concerns a key of the job file; whatever it throws is rethrown as an error at that
// key.
template <class Work>
auto at_key(const char* key, Work&& work) {
  try {
    return work();
  } catch (...) {
    const Failure failure = current_failure();
    if (!failure.key.empty()) throw;
    throw Error(failure.code, Key{key}, failure.reason);
  }
}

}  // namespace ty
