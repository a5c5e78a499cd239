// What kernels are written in where no CUDA compiler reads them: threads of a block as fibers of
// one host thread. Declared here, defined by tests/support/cuda/emulator.cpp; nothing else may use
// it.
#pragma once

#include <cstdint>
#include <functional>
#include <type_traits>
#include <vector>

namespace ty::cuda::emulated {

struct Place {
  std::int64_t thread = 0, threads = 1;     // of the block
  std::int64_t block_x = 0, block_y = 0;    // of the grid
  std::int64_t blocks_x = 1, blocks_y = 1;  // its size
};

// Of the running fiber.
const Place& place();
// Waits for all threads of the block.
void barrier();
// Gives these bits to the other lanes of the warp, and returns those of lane `from`.
std::uint64_t exchange(std::uint64_t bits, int from);
// Runs `body` once for every thread of the grid; returns when all have ended.
void run(std::int64_t blocks_x, std::int64_t blocks_y, int threads,
         const std::function<void()>& body);

// Memory that a kernel was given: where it begins.
struct Operand {
  const void* data;
  bool is_written;
};
// Puts a kernel into a stream: run_kernel() runs it, now or later.
void issue(void* stream, const std::vector<Operand>& operands, std::function<void()> run_kernel);

// The operand in a kernel's parameter, if there is one: a pointer, or a struct with `data`.
template <typename T>
void add_operand(std::vector<Operand>& operands, const T& parameter) {
  if constexpr (std::is_pointer_v<T>) {
    if (parameter != nullptr) {
      operands.push_back({parameter, !std::is_const_v<std::remove_pointer_t<T>>});
    }
  } else if constexpr (requires { parameter.data + 1; }) {
    add_operand(operands, parameter.data);
  }
}
template <typename... P>
std::vector<Operand> operands_of(const P&... parameters) {
  std::vector<Operand> operands;
  (add_operand(operands, parameters), ...);
  return operands;
}

}  // namespace ty::cuda::emulated
