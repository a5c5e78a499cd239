// Watch: how a transport finds out who is late, where it waits itself. What stands on another
// transport uses that one's.
#pragma once

#include <functional>
#include <string>

namespace ty {

class Watch {
 public:
  virtual ~Watch() = default;
  // To be called when a wait begins.
  virtual void begin() = 0;
  // To be called while waiting in `call`: answers ranks that ask. Throws CommError with the verdict
  // of one that has found out who is late.
  virtual void attend(const std::string& call) = 0;
  // Asks all ranks and throws CommError with the verdict, unless `done` becomes true within a
  // second.
  virtual void raise(const std::string& call, double waited_seconds,
                     const std::function<bool()>& done) = 0;
};

}  // namespace ty
