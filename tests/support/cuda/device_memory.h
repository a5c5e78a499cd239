// Memory of the device that the emulator plays. While no kernel, product or copy runs it may be out
// of the host's reach, as a real device's is: what then touches it ends the process at once.
#pragma once

#include <cstddef>

namespace ty::cuda::emulated {

void* take_memory(std::size_t bytes);  // page-aligned; its first part holds NaN
void drop_memory(void* block);

// From now on the host may not touch it (true), or may.
void guard_memory(bool guarded);

// While there is one, it can be touched.
class Access {
 public:
  Access();
  ~Access();
  Access(const Access&) = delete;
  Access& operator=(const Access&) = delete;
};

}  // namespace ty::cuda::emulated
