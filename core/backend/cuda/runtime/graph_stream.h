// A stream whose work can be gathered into graphs, which the device is given whole: a launch costs
// the host microseconds, and the device a pause.
//
// Between begin() and end() the driver records what is issued instead of running it. What was
// recorded is handed over where something wants to know how far the stream is, and at the end: so
// all else looks like a plain stream. A graph is never run twice as it is: an executable that ran
// the same kernels before takes over the new one's pointers, sizes and numbers (of dropout, of the
// step), which costs less than making it anew.
//
//   begin()  issue a, b | record(e) | issue c | submit() | issue d, e, f | end()
//            '------- first graph ----------'            '- second graph -'
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/backend/cuda/runtime/api.h"

namespace ty::cuda::runtime {

class GraphStream {
 public:
  // A new stream of the device; begin() does nothing unless `gathers`.
  GraphStream(int device, bool gathers);
  ~GraphStream();
  GraphStream(const GraphStream&) = delete;
  GraphStream& operator=(const GraphStream&) = delete;

  // The stream, to put `what` into it. Throws DeviceError if work before was lost.
  Stream issue(std::string_view what);
  // The stream, with all that was issued handed over: to wait for it, or to make others wait.
  Stream submit();
  // The same, but throws nothing: if work was lost, the next call does.
  void submit_quietly() noexcept;
  // The event happens when what was issued so far has finished. Before it is waited for:
  // submit_for().
  void record(Event event);
  // Hands over what the event is to be recorded after.
  void submit_for(Event event);

  // The first of its kind does as without graphs.
  void begin(std::string_view kind);
  void end() noexcept;

  // For a wait when all is over.
  Stream bare() const { return stream_; }
  // Graphs handed over, and how many of them no executable could take.
  std::int64_t graphs() const { return graphs_; }
  std::int64_t graphs_made() const { return graphs_made_; }

 private:
  void hand_over();
  GraphExecutable executable_for(Graph graph);
  void drop_executables() noexcept;

  Stream stream_;
  bool gathers_;
  std::set<std::string, std::less<>> known_;  // kinds that have begun
  bool is_open_ = false, is_recording_ = false;
  std::uint64_t names_ = 0;       // of what was recorded, in that order
  std::vector<Event> postponed_;  // to be recorded after the graph
  std::unordered_map<std::uint64_t, GraphExecutable> executables_;  // by structure
  std::string failure_;                                             // why work was lost
  std::int64_t graphs_ = 0, graphs_made_ = 0;
};

}  // namespace ty::cuda::runtime
