// The roll call over MPI (roll_call.h): small messages on a separate communicator, so that they
// cannot mix with data. Only waiting ranks read them: a rank that computes, is stopped or hangs
// stays silent.
//
// One rank asks, the waiting ranks answer, and its verdict is sent to all of them, so that all live
// ranks report the same. A verdict is valid only during the wait in which its question was
// answered; messages that arrive too late are dropped.
#pragma once

#include <functional>
#include <list>
#include <set>
#include <string>
#include <utility>

#include "parallel/comm/mpi/mpi_call.h"
#include "parallel/comm/watch.h"

namespace ty {

class Alarm final : public Watch {
 public:
  // Collective over the world.
  explicit Alarm(MPI_Comm world);
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;
  ~Alarm() override;

  void begin() override { answered_.clear(); }
  void attend(const std::string& call) override;
  void raise(const std::string& call, double waited_seconds,
             const std::function<bool()>& done) override;

 private:
  struct Message;
  struct Letter;  // a message being sent

  void send(int rank, const Message& message);
  // The next message that has arrived, if any.
  bool receive(Message& message);
  void reply(const Message& question, const std::string& call);

  MPI_Comm comm_ = MPI_COMM_NULL;
  int rank_ = 0, size_ = 1;
  int raised_ = 0;                          // roll calls of this rank so far
  std::set<std::pair<int, int>> answered_;  // in this wait: (rank that asked, its roll call)
  std::list<Letter> letters_;
};

}  // namespace ty
