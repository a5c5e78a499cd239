// A user whom file modes stop, also where tests run as root.
#pragma once

#include <unistd.h>

namespace ty::test {

class OtherUser {
 public:
  OtherUser() : before_(::geteuid()) {
    if (before_ == 0 && ::seteuid(kNobody) != 0) ::_exit(1);
  }
  OtherUser(const OtherUser&) = delete;
  OtherUser& operator=(const OtherUser&) = delete;
  ~OtherUser() {
    if (::seteuid(before_) != 0) ::_exit(1);
  }

 private:
  static constexpr uid_t kNobody = 65534;
  uid_t before_;
};

}  // namespace ty::test
