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
  // The event happens when what was issued so far has finished. Before it is waited for: submit().
  void record(Event event);

  // The same. Throws nothing: if work was lost, the next call does.
  void submit_quietly() noexcept;

  void begin();
  void end() noexcept;

  // Graphs handed over, and how many of them no executable could take.
  std::int64_t graphs() const { return graphs_; }
  std::int64_t graphs_made() const { return graphs_made_; }

 private:
  void hand_over();
  GraphExecutable executable_for(Graph graph);

  Stream stream_;
  bool gathers_;
  std::int64_t begun_ = 0;  // calls of begin()
  bool is_open_ = false, is_recording_ = false;
  std::uint64_t structure_ = 0;   // what was recorded, by name and order
  std::vector<Event> postponed_;  // to be recorded after the graph
  std::unordered_map<std::uint64_t, GraphExecutable> executables_;  // by structure
  std::string failure_;                                             // why work was lost
  std::int64_t graphs_ = 0, graphs_made_ = 0;
};

}  // namespace ty::cuda::runtime
