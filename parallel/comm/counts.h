// CommCounts: how often a rank has called a communicator, and how much it has sent to others.
//
// Bytes follow from the arguments alone, so a plan on a phantom counts the same as the run. They
// are what one rank sends in a bandwidth-optimal algorithm (Patarasuk and Yuan, J. Parallel
// Distrib. Comput. 69(2), 2009), whatever the transport really does. With n ranks and an operand of
// s bytes:
//
//   all_reduce      2 s (n - 1) / n, rounded down
//   all_gather      s (n - 1), s of `own`
//   reduce_scatter  s (n - 1), s of `own`
//   broadcast       s on the root of n > 1 ranks, 0 elsewhere
//   send            s, 0 to itself
//   receive         0
//   barrier         0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ty {

enum class CommCall : std::uint8_t {
  all_reduce,
  all_gather,
  reduce_scatter,
  broadcast,
  send,
  receive,
  barrier
};
inline constexpr std::array kCommCalls = {
    CommCall::all_reduce, CommCall::all_gather, CommCall::reduce_scatter, CommCall::broadcast,
    CommCall::send,       CommCall::receive,    CommCall::barrier};
std::string_view name_of(CommCall call);

// The accepted calls of one kind, and the bytes that this rank sent for them.
struct CommCounts {
  std::int64_t calls = 0;
  std::int64_t bytes = 0;
  bool operator==(const CommCounts&) const = default;
};

}  // namespace ty
