// The roll call over MPI (roll_call.h): small messages on a communicator of its own, so that they
// meet no data. Only ranks that wait read them: a rank that computes, is stopped or hangs is
// silent.
//
// One rank asks, those that wait answer it, and its verdict goes to all of them, so that every rank
// that is alive says the same. A verdict counts in the wait in which its question was answered;
// messages that come later than what they belong to are dropped.
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
  // A collective call of the world.
  explicit Alarm(MPI_Comm world);
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;
  ~Alarm();

  // A wait begins.
  void begin() { answered_.clear(); }
  // For a rank that waits in `call`: answers those who ask. Throws CommError if one of them has
  // found out who is late.
  void attend(const std::string& call);
  // Asks all ranks, and throws CommError with the verdict, unless `done` within a second after all.
  void raise(const std::string& call, double waited_seconds, const std::function<bool()>& done);

 private:
  struct Message;
  struct Letter;  // a message on its way

  void send(int rank, const Message& message);
  // The next message that has arrived, if any.
  bool receive(Message& message);
  void reply(const Message& question, const std::string& call);

  MPI_Comm comm_ = MPI_COMM_NULL;
  int rank_ = 0, size_ = 1;
  int raised_ = 0;                          // roll calls of this rank so far
  std::set<std::pair<int, int>> answered_;  // in this wait: rank that asked, its roll call
  std::list<Letter> letters_;
};

}  // namespace ty
