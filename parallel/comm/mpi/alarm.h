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

namespace ty {

class Alarm {
 public:
  // Collective over the world.
  explicit Alarm(MPI_Comm world);
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;
  ~Alarm();

  // To be called when a wait begins.
  void begin() { answered_.clear(); }
  // To be called while waiting in `call`: answers ranks that ask. Throws CommError with the verdict
  // of one that has found out who is late.
  void attend(const std::string& call);
  // Asks all ranks and throws CommError with the verdict, unless `done` becomes true within a
  // second.
  void raise(const std::string& call, double waited_seconds, const std::function<bool()>& done);

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
