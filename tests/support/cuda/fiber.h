// A stack of its own, and switching to and from it: 10 ns, where ucontext takes a system call.
#pragma once

#include <cstddef>
#include <memory>

namespace ty::cuda::emulated {

class Fiber {
 public:
  // `entry` runs on the new stack at the first resume() and must never return.
  explicit Fiber(void (*entry)());
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Called first on the fiber.
  void begin();
  // Runs the fiber until it calls yield().
  void resume();
  // Called on the fiber: goes back to who resumed it.
  void yield();

 private:
  static constexpr std::size_t kBytes = std::size_t{256} << 10;

  std::unique_ptr<std::byte[]> stack_;
  void* own_ = nullptr;  // stack pointers while the other side runs
  void* caller_ = nullptr;
  // Of the address sanitizer.
  void* own_shadow_ = nullptr;
  void* caller_shadow_ = nullptr;
  const void* caller_bottom_ = nullptr;
  std::size_t caller_bytes_ = 0;
};

}  // namespace ty::cuda::emulated
