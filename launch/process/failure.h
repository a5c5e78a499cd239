// What went wrong, as a user and the other ranks are told: errors of ours and of the libraries.
#pragma once

#include <string>

#include "core/base/error.h"

namespace ty {

struct Failure {
  ExitCode code = ExitCode::ok;
  std::string key;     // of the job file, if the error is at one
  std::string reason;  // begins with the key
};

// What the exception that is being handled means to a user: an error of ours says it itself, those
// of the system and of the standard library get their exit code here. Call in a catch block.
Failure current_failure();

// Throws the Error that was such a failure, here or on another rank.
[[noreturn]] void rethrow(const Failure& failure);

// Runs work on what a key of the job file names; whatever it throws becomes an error at that key.
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
