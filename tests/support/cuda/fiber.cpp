#include "tests/support/cuda/fiber.h"

#include <cstdint>
#include <cstring>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#define TY_ASAN 1
#else
#define TY_ASAN 0
#endif

#if !defined(__x86_64__)
#error "fibers are written for x86-64: add the switch of this machine"
#endif

// ty_switch_stack(save, load): pushes what a function must keep, stores the stack pointer to *save,
// takes `load` and pops the same there.
extern "C" void ty_switch_stack(void** save, void* load);
asm(R"(
.text
.globl ty_switch_stack
.type ty_switch_stack, @function
ty_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size ty_switch_stack, .-ty_switch_stack
)");

namespace ty::cuda::emulated {

Fiber::Fiber(void (*entry)()) : stack_(new std::byte[kBytes]) {
  // As ty_switch_stack leaves a stack: six registers, then where to go on; a function begins 8
  // bytes below a multiple of 16.
  auto top = reinterpret_cast<std::uintptr_t>(stack_.get() + kBytes) / 16 * 16;
  auto* words = reinterpret_cast<std::uintptr_t*>(top);
  words[-1] = 0;
  words[-2] = reinterpret_cast<std::uintptr_t>(entry);
  for (int i = 3; i <= 8; ++i) words[-i] = 0;
  own_ = words - 8;
}

void Fiber::begin() {
#if TY_ASAN
  __sanitizer_finish_switch_fiber(own_shadow_, &caller_bottom_, &caller_bytes_);
#endif
}

void Fiber::resume() {
#if TY_ASAN
  __sanitizer_start_switch_fiber(&caller_shadow_, stack_.get(), kBytes);
#endif
  ty_switch_stack(&caller_, own_);
#if TY_ASAN
  __sanitizer_finish_switch_fiber(caller_shadow_, nullptr, nullptr);
#endif
}

void Fiber::yield() {
#if TY_ASAN
  __sanitizer_start_switch_fiber(&own_shadow_, caller_bottom_, caller_bytes_);
#endif
  ty_switch_stack(&own_, caller_);
  begin();
}

}  // namespace ty::cuda::emulated
